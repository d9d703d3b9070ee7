// What a tenant says of its embedding, as each request looks it up.
import type { TenantId } from '@reeve/contracts';
import { keptBriefly } from '../kept-briefly.ts';
import { type Embeds, noEmbed } from './embed.ts';

export type EmbedDirectory = ReturnType<typeof createEmbedDirectory>;

export function createEmbedDirectory({ embeds }: { embeds: Embeds }) {
  return keptBriefly(async (id: TenantId) => (await embeds.in(id).get(id))?.state ?? noEmbed, { most: 2_000 });
}
