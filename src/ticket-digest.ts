import { digestOf } from './token-id.js';

/** What a store keeps a ticket under, in place of the ticket: its SHA-256, as hexadecimal digits. */
export function ticketDigest(ticket: string): string {
  return digestOf(ticket);
}
