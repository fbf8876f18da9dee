// `node clients.mjs NAME`: one JavaScript client does all of the work, as python_clients.py has it.
//
// The work comes as JSON on standard input; seconds and errors go as JSON to standard output.

import { text } from "node:stream/consumers";
import { create, get } from "@openfn/language-fhir";

globalThis.WebSocket ??= class {}; // Medplum's module names it when it loads; Node 20 has none
const { MedplumClient } = await import("@medplum/core");

const condition = ({ identifier: [known] }) => `identifier=${known.system}|${known.value}`;

// Its cache would answer the read instead of the EHR. It tries again by itself.
function medplum(base, createBy) {
  const { origin, pathname } = new URL(base);
  const client = new MedplumClient({ baseUrl: origin, fhirUrlPath: pathname, cacheTime: 0, fetch });
  return {
    create: async (body) => (await createBy(client, body)).id,
    read: (id) => client.readResource("Observation", id),
    hasRetries: true,
  };
}

// An adaptor's operation takes a job's state and gives the next; there is no runner around it here.
function openfn(base, optionsFor) {
  const { origin, pathname } = new URL(base);
  const state = { configuration: { baseUrl: origin, apiPath: pathname }, references: [] };
  return {
    create: async (body) => (await create("Observation", body, optionsFor(body))(state)).data.id,
    read: (id) => get(`Observation/${id}`)(state),
  };
}

const clients = {
  medplum: (base) => medplum(base, (client, body) => client.createResource(body)),
  "medplum-once": (base) =>
    medplum(base, (client, body) => client.createResourceIfNoneExist(body, condition(body))),
  openfn: (base) => openfn(base, () => ({})),
  "openfn-once": (base) =>
    openfn(base, (body) => ({ headers: { "If-None-Exist": condition(body) } })),
};

async function work(client, { bodies, at_once, tries }) {
  const waiting = bodies.values();
  let errors = 0;

  async function tried(call) {
    for (let left = client.hasRetries ? 1 : tries; left > 0; left -= 1) {
      try {
        return await call();
      } catch {
        errors += 1;
      }
    }
    return undefined;
  }

  async function lane() {
    for (const body of waiting) {
      const made = await tried(() => client.create(body));
      if (made !== undefined) await tried(() => client.read(made));
    }
  }

  const began = performance.now();
  await Promise.all(Array.from({ length: at_once }, lane));
  return { seconds: (performance.now() - began) / 1000, errors };
}

const job = JSON.parse(await text(process.stdin));
console.log = () => {}; // the adaptor writes a line for each request
const done = await work(clients[process.argv[2]](job.base), job);
process.stdout.write(JSON.stringify(done), () => process.exit());
