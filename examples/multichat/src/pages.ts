import { demoUsers } from './accounts.js';

/** The page of those who are not logged in, or have tried to. It works without scripts. */
export function logInPage(attempt?: { readonly name: string; readonly problem: string }): string {
  const problem = attempt === undefined ? '' : `<p class="problem" id="problem" role="alert">${escaped(attempt.problem)}</p>`;
  const [forName, forPassword] = attempt === undefined ? [' autofocus', ''] : ['', ' autofocus aria-describedby="problem"'];
  return card(
    'Log in',
    `    <h1 class="row"><img src="/icon.svg" alt="" width="40" height="40">MultiChat</h1>
    <p class="lead">A few rooms, and the people in them.</p>
    ${problem}
    <form method="post" action="/login">
      <label for="name">Name</label>
      <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64" value="${escaped(attempt?.name ?? '')}"${forName}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256"${forPassword}>
      <button type="submit" class="primary">Log in</button>
    </form>
    <section class="demo-users" aria-labelledby="demo-users">
      <h2 id="demo-users">Just looking? Be one of these.</h2>
      <ul>
${demoUsers.map(demoUserRow).join('\n')}
      </ul>
    </section>
    <script type="module" src="/log-in.js"></script>`,
  );
}

/** What somebody is told whose request did not work, with a way on. */
export function problemPage(title: string, text: string, way: { readonly text: string; readonly href: string }): string {
  return card(
    title,
    `    <h1>${escaped(title)}</h1>\n    <p class="lead">${escaped(text)}</p>\n    <a class="way" href="${escaped(way.href)}">${escaped(way.text)}</a>`,
  );
}

function card(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${escaped(title)} – MultiChat</title>
  <link rel="icon" href="/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/page.css">
  <link rel="stylesheet" href="/log-in.css">
</head>
<body class="log-in">
  <main class="card">
${body}
  </main>
</body>
</html>
`;
}

function demoUserRow({ member, password }: (typeof demoUsers)[number]): string {
  const name = escaped(member.name);
  const staff = member.staff ? ' <span class="mark">staff</span>' : '';
  // the button fills in the form, so it is shown by the script that does it
  const button = `<button type="button" hidden data-name="${name}" data-password="${escaped(password)}">Use ${name}</button>`;
  return `        <li class="row"><span><b>${name}</b> / <code>${escaped(password)}</code>${staff}</span>${button}</li>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
