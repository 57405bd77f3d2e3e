import { expect } from 'chai';
import { BaseDTO, rememberValidated, requireDto } from '../../../src/core/http/dto.ts';
import { route } from '../../../src/core/http/route.ts';
import { type Static, Type } from '../../../src/core/http/type.ts';
import { post } from '../../support/client.ts';
import { ANYTHING, serve } from './harness.ts';

const NewBook = BaseDTO({ name: Type.String() }, { title: 'NewBook' });
const NewFilm = BaseDTO({ name: Type.String(), minutes: Type.Integer() });
type NewBook = Static<typeof NewBook>;

const validated = (schema: typeof NewBook | typeof NewFilm, value: object) => {
  rememberValidated(value, schema);
  return value as never;
};

describe('a service function that requires a DTO', () => {
  const keep = requireDto(NewBook)(async function keep(owner: string, book: NewBook) {
    return `${owner}: ${book.name}`;
  });

  it('is called with what came through validation, and keeps its result, name and this', async () => {
    expect(await keep('ada', validated(NewBook, { name: 'Emma' }))).to.equal('ada: Emma');
    expect(keep.name).to.equal('keep');
    const shelf = {
      label: 'A',
      put: requireDto(NewBook)(function put(this: { label: string }, { name }: NewBook) {
        return `${this.label}/${name}`;
      }),
    };
    expect(shelf.put(validated(NewBook, { name: 'Emma' }))).to.equal('A/Emma');
  });

  it('is not called with an equal value that nobody validated', () => {
    expect(() => keep('ada', { name: 'Emma' })).to.throw(TypeError, 'keep takes only a validated NewBook');
    expect(() => keep('ada', { ...(validated(NewBook, { name: 'Emma' }) as NewBook) })).to.throw(TypeError);
  });

  it('is not called with what was validated against another schema, and says which ones it takes', () => {
    const either = requireDto(
      NewBook,
      NewFilm,
    )(function either(given: object) {
      return given;
    });
    const film = validated(NewFilm, { name: 'Brazil', minutes: 142 });
    expect(either(film)).to.equal(film);
    expect(() => keep('ada', film)).to.throw(TypeError, 'keep takes only a validated NewBook');
    expect(() => either({})).to.throw(TypeError, 'either takes only a validated NewBook or { name, minutes }');
  });

  it('looks for it in data, else in dto, else at the last argument itself', () => {
    const take = requireDto(NewBook)(function take(...args: unknown[]) {
      return args.length;
    });
    const book = validated(NewBook, { name: 'Emma' });
    expect(take('x', { data: book })).to.equal(2);
    expect(take({ dto: book, more: 1 })).to.equal(1);
    expect(take(1, 2, book)).to.equal(3);
    for (const args of [
      [{ data: { name: 'Emma' }, dto: book }],
      [book, 1],
      [{ dto: { name: 'Emma' } }],
      [{ data: null }],
      [null],
      [undefined],
      ['Emma'],
      [],
    ]) {
      expect(() => take(...args), JSON.stringify(args)).to.throw(TypeError, 'take takes only a validated NewBook');
    }
  });

  it('gets the body of a request that its route validated against the same schema', async () => {
    const declare = (path: string, body: typeof NewBook | typeof NewFilm) =>
      route({
        method: 'post',
        path,
        summary: path,
        body,
        responses: ANYTHING,
        handler: async (ctx) => ctx.respond.success(await keep('ada', ctx.state.input.body)),
      });
    const app = await serve({ routes: [declare('/books', NewBook), declare('/films', NewFilm)] });
    try {
      expect((await post(`${app.url}/api/books`, { name: 'Emma' })).body.data).to.equal('ada: Emma');
      expect((await post(`${app.url}/api/films`, { name: 'Brazil', minutes: 142 })).status).to.equal(500);
    } finally {
      await app.close();
    }
  });
});
