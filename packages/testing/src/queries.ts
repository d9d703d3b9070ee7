import type { Contents, StoreOptions } from '@reeve/store';
import { type Explained, explainQueries, isWasteful, wastefulQueries as wastefulQueriesAt } from '@reeve/store/explain';
import { engines } from './engines.ts';

/** Of all queries that its contents let a service ask, those that read more than they return: there should be none. */
export const wastefulQueries = (contents: Contents): Promise<Explained[]> =>
  wastefulQueriesAt(engines().mongodb, contents);

type Command = Parameters<NonNullable<StoreOptions['onCommand']>>[0];

/** Of the queries among commands that a store sent (`onCommand`), those that read more than they returned. */
export const wastefulAmong = async (database: string, commands: readonly Command[]): Promise<Explained[]> =>
  (await explainQueries(engines().mongodb, database, commands)).filter(isWasteful);
