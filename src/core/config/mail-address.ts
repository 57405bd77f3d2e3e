/**
 * An address that mail goes to or comes from, as a pattern: printable ASCII, and none of what separates, quotes or
 * comments in a header (RFC 5322 §3.2.3).
 */
export const MAIL_ADDRESS = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\\-]{1,64}@[A-Za-z0-9.\\-]{1,189}";
