/** Why the log-in that a page was opened with is over, by the reason with which its socket was closed. */
const ends = {
  'token expired': 'Your log-in has expired.',
  'token revoked': 'You were logged out of this device.',
  'session ended': 'You were logged out of this device.',
  'user inactive': 'Your account is not active any more.',
  'origin refused': 'The server does not take connections from this page.',
};

/** Why the socket was closed although the page may come back. */
const interruptions = {
  restarting: 'The server is being restarted.',
  'try again later': 'The server cannot do its work just now.',
  'internal error': 'Something went wrong on the server.',
  'connect took too long': 'The server took too long.',
  'too slow': 'This connection was too slow.',
  'too much input': 'This page sent too much at once.',
  'rate limited': 'This page sent too much at once.',
  'too many connections': 'There are too many connections.',
};

/** What a person is told where there is no coming back without logging in. */
export function endText({ reason }) {
  return ends[reason] ?? 'You are not logged in any more.';
}

/** What a person is told of the connection. One text for a whole interruption, however many attempts it takes: it is read out once. */
export function stateText(name, closing) {
  if (name === 'open') return 'Connected';
  if (name === 'offline') return 'You are offline.';
  if (name === 'stopped') return 'Not connected';
  return closing === undefined ? 'Connecting…' : `Connection lost. Reconnecting… ${interruptions[closing.reason] ?? ''}`.trim();
}

/** What a person is told whose command the server did not follow. */
export function problemText(error, name) {
  const texts = {
    staff_only: `The ${name} is for staff only, so you cannot come in. Your other rooms are as they were.`,
    not_in_room: `You are not in the ${name} any more. Join it again to write there.`,
  };
  return texts[error] ?? 'That did not work. Please try again.';
}
