/** What a person is told whose command the server did not follow. */
export function problemText(error, name) {
  const texts = {
    staff_only: `The ${name} is for staff only, so you cannot come in. Your other rooms are as they were.`,
    unknown_room: 'There is no such room.',
    not_in_room: `You are not in the ${name} any more. Join it again to write there.`,
    try_again: 'The server cannot do its work just now. Try again in a moment.',
  };
  return texts[error] ?? 'That did not work. Please try again.';
}
