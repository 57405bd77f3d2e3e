import { expect } from 'chai';
import fc from 'fast-check';
import { operationOf } from '../../../src/db/postgres/operation.ts';

describe('the operation of a statement', () => {
  for (const [text, operation] of [
    ['select 1', 'SELECT'],
    ['SELECT 1', 'SELECT'],
    ['  \n\tSelect 1', 'SELECT'],
    ['insert into a values (1)', 'INSERT'],
    ['update a set b = 1', 'UPDATE'],
    ['delete from a', 'DELETE'],
    ['BEGIN', 'BEGIN'],
    ['begin isolation level serializable', 'BEGIN'],
    ['COMMIT', 'COMMIT'],
    ['rollback', 'ROLLBACK'],
    ['-- why\nselect 1', 'SELECT'],
    ['/* why */ /* more */ select 1', 'SELECT'],
    ['/* update */ insert into a default values', 'INSERT'],
    ['-- select\n-- insert\ndelete from a', 'DELETE'],
    ['with x as (select 1) select * from x', 'SELECT'],
    ['WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x', 'INSERT'],
    ['with x as (delete from a returning *) select * from x', 'SELECT'],
    ['with x as (select (1)), y as (update a set b = 1 returning b) delete from c', 'DELETE'],
    ["with x as (select ')' as a, 'it''s (' as b) update c set d = 1", 'UPDATE'],
    ['with "select" as (values (1)) delete from c', 'DELETE'],
    ['with x as (select 1 -- ) insert\n) update a set b = 1', 'UPDATE'],
    ['with x as (select 1 /* ) insert */) update a set b = 1', 'UPDATE'],
    ['with recursive x as (select 1) select * from x', 'SELECT'],
    ['create table a (b int)', 'OTHER'],
    ['set local statement_timeout = 1', 'OTHER'],
    ['listen a', 'OTHER'],
    ['selection', 'OTHER'],
    ['(select 1)', 'OTHER'],
    ['', 'OTHER'],
    ['-- only a comment', 'OTHER'],
    ['with', 'OTHER'],
  ] as const) {
    it(`is ${operation}: ${JSON.stringify(text).slice(0, 70)}`, () => expect(operationOf(text)).to.equal(operation));
  }

  it('is one of eight, whatever the text is', () => {
    const piece = fc.constantFrom('with ', 'select ', '(', ')', "'", '"', '--', '\n', '/*', '*/', 'x', ',', 'insert ');
    const known = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'BEGIN', 'COMMIT', 'ROLLBACK', 'OTHER'];
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => {
          expect(operationOf(text)).to.be.oneOf(known);
        },
      ),
    );
  });
});
