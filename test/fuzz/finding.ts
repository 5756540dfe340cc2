/** What is wrong with a case, in a line. */
export class Finding extends Error {}
