window.SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#reader", deepLinking: true, docExpansion: "none", filter: true, validatorUrl: null,
  persistAuthorization: true, tryItOutEnabled: true,
});
