// Loads the description, asks for a key if the server does, and shows what it was told. The key stays in this page.
"use strict";
(() => {
  const ask = document.getElementById("ask");
  const typed = document.getElementById("key");
  const refused = document.getElementById("refused");
  let key = "";

  const withKey = (request) => {
    if (key) request.headers = { ...request.headers, authorization: `Bearer ${key}` };
    return request;
  };

  const show = (spec) => {
    ask.hidden = true;
    window.SwaggerUIBundle({
      spec,
      dom_id: "#viewer",
      deepLinking: true,
      validatorUrl: null,
      // A page may change nothing here (the server refuses `origin`), so only what looks can be tried.
      supportedSubmitMethods: ["get"],
      requestInterceptor: withKey,
    });
  };

  const load = async () => {
    const answer = await fetch("openapi.json", withKey({}));
    if (answer.ok) return show(await answer.json());
    if (answer.status !== 401 && answer.status !== 403) throw new Error(`openapi.json: ${answer.status}`);
    refused.textContent = key ? (await answer.json()).detail : "";
    ask.hidden = false;
    typed.focus();
  };
  const start = () => load().catch((error) => document.getElementById("viewer").append(String(error)));

  ask.addEventListener("submit", (event) => {
    event.preventDefault();
    key = typed.value.trim();
    start();
  });
  start();
})();
