/* The desk form: what is typed into the description goes to the server while it is typed, without leaving the field. */
(() => {
  "use strict";
  const FIELD = "[class*='st-key-gk_new_form_text'] textarea";
  const WAIT_MS = 600;
  let timer = 0;

  if (document.gkDesk) {
    return;
  }
  document.gkDesk = true;

  function send(field) {
    // Streamlit takes a text over when its field is left; the field itself keeps the focus.
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLTextAreaElement) || !field.matches(FIELD)) {
      return;
    }
    window.clearTimeout(timer);
    // While Chinese is being composed the text is not yet what is meant.
    if (!event.isComposing) {
      timer = window.setTimeout(send, WAIT_MS, field);
    }
  });
  document.addEventListener("compositionend", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.matches(FIELD)) {
      window.clearTimeout(timer);
      timer = window.setTimeout(send, WAIT_MS, event.target);
    }
  });
})();
