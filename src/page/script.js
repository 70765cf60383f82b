
// Copying: without this script, and where the browser has no clipboard, there are no buttons.
if (navigator.clipboard) {
  const status = document.getElementById('status');
  for (const button of document.querySelectorAll('button.copy')) {
    const label = button.querySelector('.label');
    const text = label.textContent;
    let timer;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = status.textContent = button.dataset.copied;
      clearTimeout(timer);
      timer = setTimeout(() => {
        label.textContent = text;
        status.textContent = '';
      }, 2000);
    });
  }
}
