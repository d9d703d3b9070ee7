// What lies in this service's database.
import type { Contents } from '@reeve/store';
import { vaultCollections } from '@reeve/vault';
import { deliveries } from './deliveries/delivery.ts';
import { lanes } from './deliveries/lane.ts';
import { tallies } from './deliveries/tallies.ts';
import { endpoints } from './endpoints/endpoint.ts';
import { secretUses } from './endpoints/endpoint-secrets.ts';

export const contents: Contents = {
  collections: [endpoints, secretUses, lanes, tallies, ...vaultCollections],
  journals: [deliveries],
};
