package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.imports.ImportJobs;
import dev.caravan.imports.ImportParameters;
import dev.caravan.imports.Imports;
import dev.caravan.imports.SftpImport;
import dev.caravan.imports.UploadParameters;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.IdempotencyKey;
import dev.caravan.job.JobState;
import dev.caravan.job.Launch;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.outbox.Outbox;
import dev.caravan.outbox.webhook.CallbackUrls;
import dev.caravan.setup.RefusedSetup;
import dev.caravan.setup.StoredProject;
import dev.caravan.upload.StoredUpload;
import dev.caravan.upload.Uploads;
import dev.caravan.web.Problem.Violation;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Starts, stops and repeats jobs: {@code POST /api/v1/import} and what is done with a job. */
public final class JobActionsApi {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LOG_LINES = 200;

  private final JobReports reports;
  private final JobLauncher launcher;
  private final JobControl control;
  private final Outbox outbox;
  private final CallbackUrls callbacks;
  private final Imports imports;
  private final Uploads uploads;

  /**
   * @param imports that run here
   * @param uploads which imports may load
   */
  public JobActionsApi(
      JobReports reports,
      JobLauncher launcher,
      JobControl control,
      Outbox outbox,
      CallbackUrls callbacks,
      Imports imports,
      Uploads uploads) {
    this.reports = reports;
    this.launcher = launcher;
    this.control = control;
    this.outbox = outbox;
    this.callbacks = callbacks;
    this.imports = imports;
    this.uploads = uploads;
  }

  /** Launches the import of a project. */
  public Object importProject(
      @Body String body, @Header("Idempotency-Key") String key, Exchange exchange)
      throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    String project = wanted.get("project").textValue();
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(
        exchange,
        () -> {
          Optional<SftpImport> found = imports.find(tenant, project);
          if (found.isEmpty()) {
            return Optional.of(
                Answer.problem(exchange, invalid("/project", "is not the name of a project")));
          }
          JobRequest request = request(found.get().jobs(), tenant, wanted, key);
          Launch launch = launcher.launch(request);
          return Optional.of(accepted(exchange, tenant, launch.jobId(), launch.outcome()));
        });
  }

  private static Problem invalid(String at, String what) {
    return new Problem(
        ProblemCode.INVALID,
        "The body breaks rules of this call.",
        List.of(new Violation("body", at, what)));
  }

  private JobRequest request(ImportJobs jobs, String tenant, JsonNode wanted, String key)
      throws SQLException {
    String ifRunning = wanted.path("if_running").asText("queue").toUpperCase(Locale.ROOT);
    List<StoredUpload> files = uploads(tenant, wanted);
    JobRequest request =
        ofKind(jobs, files, wanted)
            .queue("default", wanted.path("priority").asInt())
            .single(
                "import-" + StoredProject.key(tenant, wanted.get("project").textValue()),
                IfRunning.valueOf(ifRunning));
    if (wanted.hasNonNull("callback_url")) {
      callbacks.check(wanted.get("callback_url").textValue());
      request.callbackUrl(wanted.get("callback_url").textValue());
    }
    if (key != null) {
      request.idempotencyKey(new IdempotencyKey(key, sha256(wanted, files)));
    }
    return request;
  }

  private static JobRequest ofKind(ImportJobs jobs, List<StoredUpload> files, JsonNode wanted) {
    boolean force = wanted.path("force").asBoolean();
    if (files.isEmpty()) {
      return jobs.request(new ImportParameters(List.of(), force));
    }
    return jobs.request(
        new UploadParameters(files.stream().map(StoredUpload::id).toList(), force),
        files.size() == 1 ? Optional.of(files.get(0).filename()) : Optional.empty());
  }

  private List<StoredUpload> uploads(String tenant, JsonNode wanted) throws SQLException {
    List<StoredUpload> files = new ArrayList<>();
    for (JsonNode id : wanted.path("uploads")) {
      files.add(
          uploads
              .find(tenant, UUID.fromString(id.textValue()))
              .orElseThrow(
                  () ->
                      RefusedSetup.invalid(
                          "/uploads/" + files.size(), "is no upload, or none any more")));
    }
    if (files.stream().map(StoredUpload::filename).distinct().count() < files.size()) {
      throw RefusedSetup.invalid("/uploads", "has two files of the same name");
    }
    return files;
  }

  /** Of what was asked, however it was written; a file that is uploaded again is the same one. */
  private static String sha256(JsonNode wanted, List<StoredUpload> files) {
    ObjectNode asked = wanted.deepCopy();
    if (!files.isEmpty()) {
      ArrayNode contents = asked.putArray("uploads");
      files.forEach(file -> contents.add(file.sha256() + " " + file.filename()));
    }
    try {
      byte[] bytes = asked.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private String accepted(Exchange exchange, String tenant, UUID job, Launch.Outcome outcome)
      throws SQLException {
    Answer.accepted(exchange, "/api/v1/jobs/" + job);
    return JSON.createObjectNode()
        .put("job_id", job.toString())
        .put("status", reports.state(tenant, job).orElse(JobState.QUEUED.text()))
        .put("outcome", outcome.name().toLowerCase(Locale.ROOT))
        .toString();
  }

  /** What is done with a job of the tenant. */
  @FunctionalInterface
  private interface Action {
    Optional<?> run(String tenant, UUID job) throws SQLException;
  }

  private Object ofJob(String id, Exchange exchange, Action action) {
    String tenant = Answer.caller(exchange).tenant();
    UUID job = Answer.id(id);
    return Answer.of(
        exchange,
        () -> reports.state(tenant, job).isPresent() ? action.run(tenant, job) : Optional.empty());
  }

  /** Ends a job that waits or runs. */
  public Object cancel(@Header("job_id") String id, Exchange exchange) {
    return ofJob(
        id,
        exchange,
        (tenant, job) ->
            control.cancel(job)
                ? Optional.of(accepted(exchange, tenant, job, Launch.Outcome.ATTACHED))
                : Optional.empty());
  }

  /** Does the work of a job that failed or was cancelled again. */
  public Object retry(@Header("job_id") String id, Exchange exchange) {
    return ofJob(
        id,
        exchange,
        (tenant, job) -> {
          UUID again =
              launcher
                  .retry(job)
                  .orElseThrow(
                      () ->
                          new CaravanException(
                              FailureCode.TOO_LATE,
                              "Only a job of the queue that failed or was cancelled is done again."));
          return Optional.of(accepted(exchange, tenant, again, Launch.Outcome.LAUNCHED));
        });
  }

  /** A page of what a job logged. */
  public Object log(
      @Header("job_id") String id,
      @Header("after") String after,
      @Header("limit") String limit,
      Exchange exchange) {
    long from = after == null ? 0 : Long.parseLong(after);
    int rows = limit == null ? LOG_LINES : Integer.parseInt(limit);
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(exchange, () -> reports.log(tenant, Answer.id(id), from, rows));
  }

  /** What was or is to be done outside of PostgreSQL because of the job. */
  public Object deliveries(@Header("job_id") String id, Exchange exchange) {
    return ofJob(
        id, exchange, (tenant, job) -> Optional.of("{\"deliveries\":" + outbox.list(job) + "}"));
  }

  /** Does one of these once more. */
  public Object redeliver(
      @Header("job_id") String id, @Header("delivery_id") String delivery, Exchange exchange) {
    return ofJob(
        id,
        exchange,
        (tenant, job) ->
            switch (outbox.redeliver(job, Answer.id(delivery))) {
              case UNKNOWN -> Optional.empty();
              case RUNNING ->
                  throw new CaravanException(FailureCode.TOO_LATE, "It is being tried right now.");
              case SCHEDULED ->
                  Optional.of(accepted(exchange, tenant, job, Launch.Outcome.ATTACHED));
            });
  }
}
