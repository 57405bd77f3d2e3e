/** What one setting is: where it comes from, what is allowed, and what it is when nobody says. */
export type SettingDefinition<Value = unknown> = {
  readonly env: string;
  readonly group: string;
  readonly description: string;
  /** JSON Schema of the value after it was read from text. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** In words, for the person who must mend it: `a whole number from 0 to 65535`. */
  readonly allowed: string;
  /** Turns the text into the value; text that cannot be turned is handed on and refused by the schema. */
  readonly parse: (text: string) => unknown;
  readonly defaultValue: (environment: Environment) => Value;
  /** Said instead of the default where that depends on the machine. */
  readonly defaultInWords?: string;
  /** A secret is masked however settings are printed, and may also come from the file that `<env>_FILE` names. */
  readonly secret: boolean;
};

/** Definitions by the property that holds the value. */
export type SettingTable = Readonly<Record<string, Omit<SettingDefinition, 'group'>>>;

/** A definition with the property that holds its value, and the domain that contributed it. */
export type ListedSetting = SettingDefinition & { readonly property: string; readonly domain?: string };

export const ENVIRONMENTS = ['development', 'test', 'staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Staging and production, where defaults that suit a developer are refused. */
export function isDeployed(environment: Environment): boolean {
  return environment === 'staging' || environment === 'production';
}

type Default<T> = T | ((environment: Environment) => T);
type Common<T> = { description: string; default: Default<T>; defaultInWords?: string };

function define<T>(
  env: string,
  common: Common<T>,
  rest: Pick<SettingDefinition, 'schema' | 'allowed' | 'parse'> & { secret?: boolean },
): Omit<SettingDefinition<T>, 'group'> {
  const given = common.default;
  const defaultValue = typeof given === 'function' ? (given as (environment: Environment) => T) : () => given;
  const { description, defaultInWords } = common;
  return { env, description, defaultValue, ...(defaultInWords && { defaultInWords }), secret: false, ...rest };
}

/** Free text of at least one character; `pattern` is a JSON Schema pattern and `allowed` its meaning in words. */
export function text(env: string, options: Common<string> & TextOptions) {
  return defineText<string>(env, options);
}

/** Free text that nobody has to give. */
export function optionalText(env: string, options: { description: string } & TextOptions) {
  return defineText<string | undefined>(env, { ...options, default: undefined });
}

type TextOptions = { pattern?: string; allowed?: string; secret?: boolean; maxLength?: number };

function defineText<T extends string | undefined>(env: string, options: Common<T> & TextOptions) {
  const { pattern, maxLength = 4096 } = options;
  return define<T>(env, options, {
    schema: { type: 'string', minLength: 1, maxLength, ...(pattern === undefined ? {} : { pattern }) },
    allowed: options.allowed ?? 'text',
    parse: (value) => value,
    secret: options.secret ?? false,
  });
}

/** A whole number within bounds, both included. */
export function integer(env: string, options: Common<number> & IntegerOptions) {
  return defineInteger<number>(env, options);
}

/** A whole number that nobody has to give. */
export function optionalInteger(env: string, options: { description: string } & IntegerOptions) {
  return defineInteger<number | undefined>(env, { ...options, default: undefined });
}

type IntegerOptions = { min: number; max: number; unit?: string };

function defineInteger<T extends number | undefined>(env: string, options: Common<T> & IntegerOptions) {
  const unit = options.unit === undefined ? '' : ` (${options.unit})`;
  return define<T>(env, options, {
    schema: { type: 'integer', minimum: options.min, maximum: options.max },
    allowed: `a whole number from ${options.min} to ${options.max}${unit}`,
    parse: (value) => (/^-?\d{1,15}$/.test(value) ? Number(value) : value),
  });
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  '1': true,
  false: false,
  off: false,
  no: false,
  '0': false,
};

/** `true` or `false`; `on`, `off`, `yes`, `no`, `1` and `0` are read too. */
export function flag(env: string, options: Common<boolean>) {
  return define<boolean>(env, options, {
    schema: { type: 'boolean' },
    allowed: 'true or false',
    parse: (value) => BOOLEANS[value.toLowerCase()] ?? value,
  });
}

/** One of a closed list, spelled exactly. */
export function choice<const T extends string>(
  env: string,
  options: { description: string; default: NoInfer<Default<T>>; of: readonly T[] },
) {
  return define<T>(env, options as Common<T>, {
    schema: { enum: options.of },
    allowed: `one of ${options.of.join(', ')}`,
    parse: (value) => value,
  });
}

/** A comma-separated list; spaces around the entries do not count. */
export function list(env: string, options: Common<readonly string[]> & { pattern: string; allowed: string }) {
  return define<readonly string[]>(env, options, {
    schema: { type: 'array', minItems: 1, items: { type: 'string', pattern: options.pattern } },
    allowed: options.allowed,
    parse: (value) => value.split(',').map((entry) => entry.trim()),
  });
}

const BYTE_UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2 };

/** A size such as `1mb`, `512kb` or `65536`; its value is a number of bytes. */
export function bytes(env: string, options: Common<number> & { max: number }) {
  return define<number>(env, options, {
    schema: { type: 'integer', minimum: 1, maximum: options.max },
    allowed: `a size from 1b to ${options.max / 1024 ** 2}mb, such as 512kb or 1mb`,
    parse: (value) => {
      const match = /^(\d{1,12})(b|kb|mb)?$/i.exec(value);
      return match === null ? value : Number(match[1]) * (BYTE_UNITS[(match[2] ?? 'b').toLowerCase()] ?? 1);
    },
  });
}

type Undefinable<D> = D extends Omit<SettingDefinition<infer V>, 'group'> ? V : never;

/** The values of a table of definitions. */
export type ValuesOf<T> = { readonly [K in keyof T]: Undefinable<T[K]> };
