// All of the embedding: what administrators say, and what pages and their people come to.
import type { Route } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { createSeal } from '../seal.ts';
import { type BeginParts, beginEmbedded } from './begin-embedded.ts';
import { type CheckParts, checkEmbed } from './check-embed.ts';
import type { Embeds } from './embed.ts';
import { endEmbedded } from './end-embedded.ts';
import { forPages, type PageParts } from './for-pages.ts';
import { frameScript } from './frame-page.ts';
import { openerScript } from './opener-page.ts';
import { readEmbed } from './read-embed.ts';
import { embedScripts } from './script.ts';
import { setEmbed } from './set-embed.ts';
import { createStarts } from './starts.ts';

type Parts = Omit<BeginParts & PageParts & CheckParts, 'embeds' | 'starts' | 'now'> & {
  embeds: Embeds;
  directory: BeginParts['embeds'];
  keys: readonly string[];
  clock: Clock;
};

export function embedRoutes({ embeds, directory, keys, clock, ...rest }: Parts): Route[] {
  const { issuer, applications } = rest;
  const now = () => clock.now().getTime();
  const common = {
    ...rest,
    embeds: directory,
    now,
    starts: createStarts({
      issuer,
      seal: createSeal(keys, 'embed-starts'),
      now,
    }),
  };
  return [
    readEmbed({ embeds }),
    setEmbed({ embeds, directory, applications, issuer }),
    checkEmbed({ ...rest, embeds, clock }),
    ...beginEmbedded(common),
    endEmbedded(common),
    ...forPages(common),
    frameScript(),
    openerScript(),
    ...embedScripts({ issuer }),
  ];
}
