/** Names of this machine, as URL writes them: what goes there leaves it nowhere. */
export const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
