import { expect } from 'chai';
import fc from 'fast-check';
import { summaryOf, withoutLiterals } from '../../../src/db/postgres/query-text.ts';

describe('a statement in telemetry', () => {
  const shown: [string, string][] = [
    ['select * from users where id = $1', 'select * from users where id = $1'],
    ["select 'secret'", 'select ?'],
    ["select 'it''s' || \"a'b\"", 'select ? || "a\'b"'],
    ["select e'a\\'b', 1", 'select ?, ?'],
    ['select $$secret$$, $tag$se$$cret$tag$', 'select ?, ?'],
    ['select 1.5e3, x1, $12 limit 20', 'select ?, x1, $12 limit ?'],
    ["-- it's a comment\nselect 1", "-- it's a comment select ?"],
    ["/* it's */ select 2", "/* it's */ select ?"],
  ];
  for (const [text, expected] of shown) {
    it(`is shown without what stands in its text: ${JSON.stringify(text)}`, () => {
      expect(withoutLiterals(text)).to.equal(expected);
    });
  }

  it('never shows a quoted value, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (value) => {
        const text = `select * from t where a = '${value.replaceAll('\\', '').replaceAll("'", "''")}' and b = $1`;
        expect(withoutLiterals(text)).to.equal('select * from t where a = ? and b = $1');
      }),
    );
  });

  it('is named for what it does and to which tables', () => {
    expect(summaryOf('SELECT', 'select * from sessions s join users u on true')).to.equal('SELECT sessions users');
    expect(summaryOf('INSERT', 'insert into users (id) values ($1)')).to.equal('INSERT users');
    expect(summaryOf('UPDATE', 'update only "users" set a = 1')).to.equal('UPDATE users');
    expect(summaryOf('DELETE', 'delete from outbox')).to.equal('DELETE outbox');
    expect(summaryOf('SELECT', "select 'from secrets'")).to.equal('SELECT');
    expect(summaryOf('COMMIT', 'COMMIT')).to.equal('COMMIT');
  });
});
