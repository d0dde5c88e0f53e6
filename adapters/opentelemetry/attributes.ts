import type { Attributes } from '@opentelemetry/api';
import type { CloseEvent, HandshakeEvent, IdentificationEvent, RefusalEvent } from '../../src/events.js';

/** The attributes of an identification; absent where there is nothing to say. */
export function authenticationOf({ outcome, source }: Pick<HandshakeEvent | IdentificationEvent, 'outcome' | 'source'>): Attributes {
  return {
    ...(outcome !== undefined && { 'ws_with.authentication.outcome': outcome }),
    ...(source !== undefined && { 'ws_with.authentication.source': source }),
  };
}

/** How a handshake came in, and what refused it. */
export function handshakeOf(event: HandshakeEvent | RefusalEvent): Attributes {
  return { 'ws_with.handshake.via': event.via, ...(event.type === 'refusal' && errorOf(event)) };
}

/** Why something failed. */
export function errorOf({ code }: { readonly code: string | undefined }): Attributes {
  return code === undefined ? {} : { 'error.type': code };
}

/** Who ended a channel. */
export function enderOf({ code }: Pick<CloseEvent, 'code'>): Attributes {
  return { 'ws_with.close.by': code === undefined ? 'peer' : 'server' };
}

/** Who ended a channel, and how. Codes that peers and applications are free to choose are told by their thousand: they are too many. */
export function closeOf({ code, closeCode, wasOpen }: CloseEvent): Attributes {
  return {
    ...enderOf({ code }),
    'ws_with.close.code': closeCode < 3_000 ? String(closeCode) : `${Math.floor(closeCode / 1_000)}xxx`,
    'ws_with.close.was_open': wasOpen,
    ...errorOf({ code }),
  };
}
