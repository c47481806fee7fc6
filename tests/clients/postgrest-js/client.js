// Runs questions with @supabase/postgrest-js as it is: standard input holds [[view, [[method, argument...], ...]], ...],
// standard output gets one {data, error, count, status} a question. BASE, KEY: in the environment.
const { PostgrestClient } = require("@supabase/postgrest-js");

const client = new PostgrestClient(process.env.BASE, { headers: { Authorization: "Bearer " + process.env.KEY } });

async function ask([view, calls]) {
  let question = client.from(view);
  for (const [method, ...args] of calls) question = question[method](...args);
  const { data, error, count, status } = await question;
  return { data, error: error && { ...error, message: error.message }, count, status };
}

(async () => {
  const answers = [];
  for (const question of JSON.parse(require("fs").readFileSync(0, "utf8"))) answers.push(await ask(question));
  console.log(JSON.stringify(answers));
})();
