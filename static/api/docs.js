// The API's pages: Swagger UI, from here, in the colours that the portal was last seen in.

const darkness = matchMedia("(prefers-color-scheme: dark)");

const paint = () => {
  const chosen = localStorage.getItem("theme") ?? "auto"; // the portal's own switch
  const isDark = chosen === "dark" || (chosen === "auto" && darkness.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
};

paint();
darkness.addEventListener("change", paint);

const place = document.querySelector("#api");
SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: "none", // nothing is asked elsewhere
});
