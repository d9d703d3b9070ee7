// Where an address is, by the operator's own MaxMind database (a City database, as GeoLite2-City.mmdb). It is read
// once, at the start.
import { isIP } from 'node:net';
import { type CityResponse, open } from 'maxmind';

/** `country` by ISO 3166-1; null where the database does not say it. */
export type Place = { latitude: number; longitude: number; name: string; country: string | null };
export type Places = { locate(ip: string | null): Place | null };

/** Throws where the file is no such database. */
export async function openPlaces(file: string): Promise<Places> {
  const reader = await open<CityResponse>(file);
  return {
    locate(ip) {
      if (ip === null || isIP(ip) === 0) return null;
      const found = reader.get(ip);
      const { latitude, longitude } = found?.location ?? {};
      if (latitude === undefined || longitude === undefined) return null;
      return {
        latitude,
        longitude,
        country: found?.country?.iso_code ?? null,
        name: found?.city?.names.en ?? found?.country?.names.en ?? 'a place without a name',
      };
    },
  };
}
