// The public face of @reeve/sizing: what operations cost, and what an installation needs for so many of them.
export {
  type Amounts,
  amountsOf,
  type Costs,
  costsFile,
  costsSchema,
  type Operation,
  operations,
  readCosts,
  sum,
} from './costs.ts';
export {
  type Needs,
  needsOf,
  type Plan,
  type PlannedOperation,
  planDefaults,
  planOptions,
  type ServiceNeeds,
} from './needs.ts';
export { printedNeeds } from './printed.ts';
