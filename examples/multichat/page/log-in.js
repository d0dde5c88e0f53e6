// Without this script the form works just as well: it only saves typing a demo user's password.
const form = document.querySelector('form');
form.action += location.hash; // the room that the address names

for (const button of document.querySelectorAll('button[data-name]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    form.elements.namedItem('name').value = button.dataset.name;
    form.elements.namedItem('password').value = button.dataset.password;
    form.querySelector('button[type="submit"]').focus();
  });
}
