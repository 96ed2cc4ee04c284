// Node's HTTP/2 server, with TLS and by prior knowledge, and its HTTP/1.1 server for the proxies in front of it.
//
// Usage: node h2.js CERTIFICATE KEY. It listens on three free ports of the loopback interface. It prints them, and ends
// with its standard input.

const fs = require("fs");
const http = require("http");
const http2 = require("http2");

const [certificate, key] = process.argv.slice(2);
let text = "";
for (let n = 0; n < 20000; n += 1) {
  text += `line ${n}\n`;
}

function answer(request, response) {
  if (request.method === "POST") {
    response.writeHead(200, { "content-type": "text/plain" });
    return request.pipe(response);
  }
  const found = request.url === "/text";
  const body = found ? text : "nothing here";
  response.writeHead(found ? 200 : 404, { "content-type": "text/plain", "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}

const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
// In megabytes. A hundred concurrent responses exceed the default.
const room = { maxSessionMemory: 1000 };
const servers = [
  http2.createSecureServer({ ...tls, ...room }, answer),
  http2.createServer(room, answer),
  http.createServer(answer),
];
const ports = servers.map((server) => new Promise((done) => {
  server.listen(0, "127.0.0.1", () => done(server.address().port));
}));
Promise.all(ports).then((ports) => console.log(ports.join(" ")));
process.stdin.on("end", () => process.exit(0)).resume();
