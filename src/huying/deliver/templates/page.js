"use strict";
// Filters keep their state behind the #, so that a link leads to what is shown; the switch of languages carries it over.
const form = document.getElementById("filter");
const names = ["section", "verdict", "place"];

function show() {
  let shown = 0;
  for (const row of document.querySelectorAll("tbody tr")) {
    row.hidden = names.some((name) => form.elements[name].value && form.elements[name].value !== row.dataset[name]);
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = shown;
}

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of names) {
    const known = [...form.elements[name].options].map((option) => option.value);
    form.elements[name].value = known.includes(wanted.get(name)) ? wanted.get(name) : "";
  }
  show();
}

function carry() {
  for (const link of document.querySelectorAll("a.lang")) link.hash = location.hash;
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const wanted = new URLSearchParams(names.map((name) => [name, form.elements[name].value]).filter((pair) => pair[1]));
    history.replaceState(null, "", "#" + wanted);
    show();
    carry();
  });
  window.addEventListener("hashchange", read);
  read();
}
window.addEventListener("hashchange", carry);
carry();
