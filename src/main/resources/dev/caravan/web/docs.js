// With the origin: a page that was opened as user:key@host may not fetch a relative address.
SwaggerUIBundle({url: location.origin + "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});
