/** For people to read: to the minute, and in UTC, since nobody knows where they are. */
export const moment = (at: Date | string): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
