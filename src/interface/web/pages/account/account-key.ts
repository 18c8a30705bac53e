/** Under which the account is kept. */
export const accountKey = ["account"];
