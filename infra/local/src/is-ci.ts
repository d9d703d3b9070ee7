/** Whether this run decides about a change: that something is not there is no excuse then. */
export const isCi = (): boolean => ![undefined, '', 'false'].includes(process.env['CI']);
