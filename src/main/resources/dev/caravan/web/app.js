"use strict";
// The page of the back office. What comes from the API goes to the page as text, never as markup.

const POLL = 1000;
const DAYS = 30;
const $ = id => document.getElementById(id);

let key = null; // in memory only
let modules = [];
let cursor = null; // of the older jobs that are shown
let shown = null; // ends following the job that is shown
let follow = 0; // a later start or login ends what an earlier one follows

class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function api(path, method = "GET", body = undefined) {
  const headers = {Authorization: "Bearer " + key};
  if (body !== undefined) {
    const raw = body instanceof Blob;
    headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
    body = raw ? body : JSON.stringify(body);
  }
  const answer = await fetch("/api/v1" + path, {method, headers, body, credentials: "omit"});
  const type = answer.headers.get("Content-Type") || "";
  const content = type.includes("json") ? await answer.json() : await answer.text();
  if (!answer.ok) {
    const where = (content.errors || []).map(e => e.at + " " + e.detail).join("; ");
    throw new Problem(answer.status, [content.detail, where].filter(Boolean).join(" "));
  }
  return content;
}

/** Runs what a click or a timer asks for; what fails is said at the top of the page. */
async function guarded(work) {
  try {
    await work();
    $("problem").textContent = "";
  } catch (e) {
    $("problem").textContent = e.message || String(e);
    if (e.status === 401) {
      logout();
    }
  }
}

function cell(row, value, className) {
  const td = row.insertCell();
  td.textContent = value === null || value === undefined ? "" : String(value);
  if (className) {
    td.className = className;
  }
  return td;
}

function button(parent, text, work) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = text;
  b.addEventListener("click", event => {
    event.stopPropagation();
    guarded(work);
  });
  parent.append(b);
}

function options(select, values) {
  const before = select.value;
  select.replaceChildren(...values.map(v => new Option(v.text, v.value)));
  if (values.some(v => String(v.value) === before)) {
    select.value = before;
  }
}

const time = text => text ? new Date(text).toLocaleString() : "";
const body = table => $(table).tBodies[0];
const isOpen = state => state === "queued" || state === "running";

// --- login ---------------------------------------------------------------------------------------

async function login() {
  key = $("key").value.trim();
  $("key").value = "";
  await api("/jobs?limit=1"); // is it one?
  $("login").hidden = true;
  $("work").hidden = false;
  $("logout").hidden = false;
  follow++;
  await Promise.all([loadModules(), loadJobs(), loadChart()]);
}

function logout() {
  key = null;
  follow++;
  hideJob();
  $("login").hidden = false;
  $("work").hidden = true;
  $("logout").hidden = true;
  for (const table of ["history", "jobs", "files", "rejects"]) {
    body(table).replaceChildren();
  }
  $("log").textContent = "";
  $("sync-state").textContent = "";
}

// --- sync ----------------------------------------------------------------------------------------

async function loadModules() {
  try {
    modules = (await api("/sync/modules")).modules;
  } catch (e) {
    if (e.status !== 404) {
      throw e;
    }
    modules = []; // another tenant's
  }
  options($("module"), modules.map(m => ({value: m.id, text: `${m.inventory} · ${m.type}`})));
  await chooseModule();
}

const chosenModule = () => modules.find(m => String(m.id) === $("module").value);

async function chooseModule() {
  const module = chosenModule();
  const targets = [];
  if (module && module.providers.some(p => p.target_type === "data_entries")) {
    targets.push({value: "", text: "data entries"});
  }
  if (module && module.providers.some(p => p.target_type === "factors")) {
    module.factor_types.forEach(f => targets.push({value: f.id, text: "factors: " + f.name}));
  }
  options($("target"), targets);
  if (module && !$("year").value) {
    $("year").value = module.year;
  }
  chooseTarget();
  await loadHistory();
}

function chooseTarget() {
  const module = chosenModule();
  const type = $("target").value === "" ? "data_entries" : "factors";
  const providers = module ? module.providers.filter(p => p.target_type === type) : [];
  const names = [...new Set(providers.map(p => p.provider_type))];
  options($("provider"), names.map(n => ({value: n, text: n})));
  $("start").disabled = names.length === 0;
  chooseProvider();
}

function chooseProvider() {
  const csv = $("provider").value === "csv_upload";
  $("file-label").hidden = !csv;
  $("upload-label").hidden = !csv;
}

async function startSync() {
  const factors = $("target").value;
  const path = factors === ""
    ? `/sync/data-entries/${$("module").value}`
    : `/sync/factors/${$("module").value}/${factors}`;
  $("start").disabled = true;
  try {
    const config = $("file-label").hidden ? {} : await handedIn();
    const wanted = {provider_type: $("provider").value, year: Number($("year").value), config};
    await followSync(await api(path, "POST", wanted));
  } finally {
    $("start").disabled = false;
  }
}

/** A file of the server's folder by its name, or one of this computer, which is uploaded first. */
async function handedIn() {
  const [file] = $("upload").files;
  if (!file) {
    return {file: $("file").value};
  }
  const path = "/uploads?filename=" + encodeURIComponent(file.name);
  const {upload_id: upload} = await api(path, "POST", file);
  $("upload").value = "";
  return {upload};
}

async function followSync(sync) {
  const mine = ++follow;
  await loadHistory();
  while (mine === follow) {
    showSync(sync);
    if (sync.status === "completed" || sync.status === "failed") {
      await Promise.all([loadHistory(), loadJobs(), loadChart()]);
      return;
    }
    await new Promise(done => setTimeout(done, POLL));
    if (mine === follow) {
      sync = await api("/sync/status/" + sync.job_id);
    }
  }
}

/** How many records there will be nobody knows: the bar moves until it is done. */
function showSync(sync) {
  $("sync-state").textContent = `Sync ${sync.job_id}: ${sync.status} (${sync.status_code}) – ${sync.message}`;
  $("sync-state").className = sync.status;
  const bar = $("bar");
  bar.hidden = false;
  if (sync.status === "completed") {
    bar.value = 100;
  } else if (sync.status === "failed") {
    bar.value = 0;
  } else {
    bar.removeAttribute("value");
  }
}

async function loadHistory() {
  const module = $("module").value;
  const jobs = module ? (await api(`/sync/history/${module}?limit=20`)).jobs : [];
  body("history").replaceChildren();
  for (const sync of jobs) {
    const row = body("history").insertRow();
    cell(row, sync.job_id);
    cell(row, sync.provider_type + (sync.target_type === "factors" ? " (factors)" : ""));
    cell(row, sync.year);
    cell(row, `${sync.status} ${sync.status_code}`, sync.status);
    cell(row, sync.message);
    cell(row, sync.created_by);
    cell(row, time(sync.completed_at));
    const last = cell(row, "");
    button(last, "Details", () => showJob(sync.metadata.job));
    if (sync.status === "failed") {
      button(last, "Retry", async () => followSync(await api("/sync/retry/" + sync.job_id, "POST")));
    }
  }
}

// --- jobs ----------------------------------------------------------------------------------------

async function loadJobs() {
  const page = await jobsPage(null);
  cursor = page.next;
  body("jobs").replaceChildren();
  page.jobs.forEach(addJob);
  $("more").hidden = cursor === null;
}

async function olderJobs() {
  const page = await jobsPage(cursor);
  cursor = page.next;
  page.jobs.forEach(addJob);
  $("more").hidden = cursor === null;
}

function jobsPage(from) {
  const query = new URLSearchParams({limit: "50"});
  if ($("status").value) {
    query.set("status", $("status").value);
  }
  if (from) {
    query.set("cursor", from);
  }
  return api("/jobs?" + query);
}

function addJob(job) {
  const row = body("jobs").insertRow();
  row.tabIndex = 0;
  row.dataset.job = job.job_id;
  row.addEventListener("click", () => guarded(() => showJob(job.job_id)));
  row.addEventListener("keydown", e => e.key === "Enter" && guarded(() => showJob(job.job_id)));
  fillJob(row, job);
}

function fillJob(row, job) {
  row.replaceChildren();
  row.dataset.open = isOpen(job.status);
  cell(row, time(job.started_at || job.created_at));
  cell(row, job.kind);
  cell(row, job.project);
  cell(row, job.status, job.status);
  cell(row, progressText(job.progress));
  cell(row, job.result.inserted + job.result.updated + (job.result.unchanged || 0));
  cell(row, job.message);
}

function progressText(progress) {
  if (!progress) {
    return "";
  }
  const percent = progress.percent === null ? "" : ` ${progress.percent} %`;
  return `${progress.step} ${progress.rows}${percent}`;
}

/** New jobs, and how those that are open are. */
async function refresh() {
  if (key === null) {
    return;
  }
  const open = [...body("jobs").rows].filter(row => row.dataset.open === "true");
  const page = await jobsPage(null);
  const known = new Map([...body("jobs").rows].map(row => [row.dataset.job, row]));
  if (page.jobs.some(job => !known.has(job.job_id))) {
    await loadJobs();
  } else {
    const now = new Map(page.jobs.map(job => [job.job_id, job]));
    for (const row of open) {
      fillJob(row, now.get(row.dataset.job) || await api("/jobs/" + row.dataset.job));
    }
  }
}

function showJob(id) {
  hideJob();
  shown = new AbortController();
  body("rejects").replaceChildren();
  $("job").hidden = false;
  $("job").scrollIntoView();
  followJob(id, shown.signal);
}

function hideJob() {
  if (shown) {
    shown.abort();
    shown = null;
  }
  $("job").hidden = true;
}

/** The server sends the job and its log as they change, until it ends; a lost connection is renewed. */
async function followJob(id, signal) {
  while (!signal.aborted) {
    try {
      $("log").textContent = "";
      await readEvents(`/api/v1/jobs/${id}/events`, signal);
      return;
    } catch (e) {
      if (signal.aborted) {
        return;
      }
      $("problem").textContent = e.message;
      if (e instanceof Problem) {
        return;
      }
      await new Promise(done => setTimeout(done, 2 * POLL));
    }
  }
}

async function readEvents(path, signal) {
  const headers = {Authorization: "Bearer " + key};
  const answer = await fetch(path, {headers, signal, credentials: "omit"});
  if (!answer.ok) {
    throw new Problem(answer.status, (await answer.json()).detail);
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (text + part.value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event);
      type === "log" ? addLine(JSON.parse(data)) : updateJob(JSON.parse(data));
    }
  }
}

function addLine(line) {
  $("log").append(`${line.at} ${line.level} ${line.message}\n`);
}

function updateJob(job) {
  $("job-id").textContent = job.job_id;
  $("job-state").textContent =
    [job.kind, job.project, job.status, progressText(job.progress), job.error_code, job.message].filter(Boolean).join(" · ");
  body("files").replaceChildren();
  for (const file of job.file_results) {
    const row = body("files").insertRow();
    cell(row, file.filename);
    cell(row, file.table_name);
    cell(row, file.status, file.status);
    for (const count of ["inserted", "updated", "unchanged", "rejected"]) {
      cell(row, file[count]);
    }
    const last = cell(row, (file.warnings || []).join("\n"));
    if (file.rejected > 0 || file.status === "failed") {
      const name = job.file_results.length > 1 ? file.filename : null;
      button(last, "Show the refused", () => showRejects(job.job_id, name));
    }
  }
}

async function showRejects(id, file) {
  const page = await api(`/jobs/${id}/rejects?limit=100` + (file ? "&file=" + encodeURIComponent(file) : ""));
  $("reject-columns").textContent = page.columns.join(", ");
  body("rejects").replaceChildren();
  for (const reject of page.rejects) {
    const row = body("rejects").insertRow();
    [reject.line, reject.column, reject.code, reject.message, reject.raw].forEach(v => cell(row, v));
  }
  if (page.rejects.length === 0) {
    cell(body("rejects").insertRow(), "none is kept");
  }
}

// --- chart ---------------------------------------------------------------------------------------

async function loadChart() {
  const days = (await api(`/statistics/days?days=${DAYS}`)).days;
  const x = days.map(d => Date.parse(d.day + "T00:00:00Z") / 1000);
  const bars = (color, label, values) => ({label, stroke: color, fill: color + "55", paths: uPlot.paths.bars({size: [0.7, 40]}), points: {show: false}});
  $("chart").replaceChildren();
  new uPlot(
    {
      width: Math.max(320, Math.min(1100, $("work").clientWidth)),
      height: 220,
      tzDate: ts => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      scales: {y: {range: (u, min, max) => [0, Math.max(1, max)]}},
      series: [{}, bars("#1b7f3b", "completed"), bars("#b00020", "failed")],
    },
    [x, days.map(d => d.completed), days.map(d => d.failed)],
    $("chart"));
  $("chart").dataset.completed = days.reduce((sum, d) => sum + d.completed, 0);
}

// --- wiring --------------------------------------------------------------------------------------

const on = (id, event, work) => $(id).addEventListener(event, e => {
  e.preventDefault();
  guarded(() => work(e));
});
on("login", "submit", login);
on("logout", "click", logout);
on("module", "change", chooseModule);
on("target", "change", chooseTarget);
on("provider", "change", chooseProvider);
on("sync", "submit", startSync);
on("status", "change", loadJobs);
on("more", "click", olderJobs);

(async function poll() {
  for (;;) {
    await new Promise(done => setTimeout(done, 2 * POLL));
    if (key !== null && !document.hidden) {
      try {
        await refresh();
      } catch (e) {
        if (e.status === 401) {
          logout();
          $("problem").textContent = e.message;
        } // anything else may pass; the next look says so or not
      }
    }
  }
})();
