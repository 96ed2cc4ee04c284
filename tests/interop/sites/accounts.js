// An Express site with sessions of one second, an echo for large bodies, and a file with ranges.
//
// Usage: node accounts.js CERTIFICATE KEY FILE. It listens on two free ports of the loopback interface, one with TLS and
// one without. It prints both, and ends with its standard input.

const fs = require("fs");
const http = require("http");
const https = require("https");
const express = require("express");
const session = require("express-session");

const [certificate, key, file] = process.argv.slice(2);
const app = express();
app.set("trust proxy", 1);
app.use(
  session({
    secret: "only for tests on the loopback interface",
    resave: false,
    saveUninitialized: false,
    // The session expires, but its cookie does not. The client has to notice it by the response.
    store: new session.MemoryStore(),
    cookie: { secure: true, httpOnly: true },
  }),
);

app.get("/login/", (request, response) => {
  response.send('<form method="post"><input name="name"><input name="password" type="password"></form>');
});
app.post("/login/", express.urlencoded({ extended: false }), (request, response) => {
  if (request.body.name !== "ada" || request.body.password !== "engine") {
    return response.status(403).send("a wrong password");
  }
  request.session.regenerate(() => {
    request.session.name = request.body.name;
    request.session.until = Date.now() + 1000;
    response.redirect("/private/");
  });
});
app.get("/private/", (request, response) => {
  if (!request.session.name || request.session.until < Date.now()) {
    return response.redirect("/login/");
  }
  request.session.until = Date.now() + 1000;
  response.type("text/plain").send(`hello ${request.session.name}`);
});
app.all("/echo/", (request, response) => {
  response.type("text/plain");
  request.pipe(response);
});
app.get("/file", (request, response) => response.type("text/plain").sendFile(file));

function listen(server, then) {
  server.keepAliveTimeout = 1000;
  server.keepAliveTimeoutBuffer = 0;
  server.listen(0, "127.0.0.1", () => then(server.address().port));
}

const secure = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, app);
listen(secure, (one) => listen(http.createServer(app), (other) => console.log(`${one} ${other}`)));
process.stdin.on("end", () => process.exit(0)).resume();
