// Where an address is, by the operator's own MaxMind database (a City database, as GeoLite2-City.mmdb). It is read
// once, at the start.
import { isIP } from 'node:net';
import { type CityResponse, open } from 'maxmind';

export type Place = { latitude: number; longitude: number; name: string };
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
        name: found?.city?.names.en ?? found?.country?.names.en ?? 'a place without a name',
      };
    },
  };
}
