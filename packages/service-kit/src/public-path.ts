// The path of a request as logs and traces may have it: without its query, which carries codes and states, and without
// what in it is a secret.

/** The link is all that its holder has to show for themselves. A path may come with a host before it. */
const secretAfter = /\/setup\/[^/?]+/;

export const publicPath = (url: string): string => (url.split('?')[0] ?? '').replace(secretAfter, '/setup/…');
