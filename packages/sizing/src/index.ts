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
} from './costs.ts';
export { type Needs, needsOf, type Plan, planDefaults, type ServiceNeeds } from './needs.ts';
export { printedNeeds } from './printed.ts';
