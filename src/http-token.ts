/** A token of HTTP (RFC 9110, section 5.6.2): what headers, cookies, schemes and subprotocols are named with. */
export const httpToken = /^[\w!#$%&'*+.^`|~-]+$/;
