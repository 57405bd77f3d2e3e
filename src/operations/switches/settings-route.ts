import type { ShownSetting } from '../../core/effective-settings.ts';
import { BaseDTO, type Route, route, Type } from '../../core/index.ts';
import { COMMON } from './common.ts';
import type { Uses } from './uses.ts';

const SettingView = BaseDTO(
  {
    group: Type.String({ examples: ['HTTP'] }),
    name: Type.String({ examples: ['REQUEST_TIMEOUT_MS'] }),
    value: Type.Union([Type.String(), Type.Null()], { description: 'Masked where it is a secret; null where none is' }),
    origin: Type.Enum(['default', '.env', 'environment', 'file']),
  },
  { title: 'SettingView' },
);

/** What `npm run config` shows, of the process that answers. */
export function createSettingsRoute(settings: () => ShownSetting[], uses: Uses): Route {
  return route({
    ...COMMON,
    method: 'get',
    path: '/operations/settings',
    summary: 'The settings in effect, each with where it came from',
    description: 'Those that this process read at its start. Secrets are masked.',
    responses: { 200: { description: 'All of them', schema: Type.Array(SettingView) } },
    async handler(ctx) {
      await uses.note(ctx, 'operations.settings_viewed', 'The settings were looked at');
      ctx.respond.success(settings(), uses.here);
    },
  });
}
