package dev.caravan.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.failure.InvalidParameter;
import dev.caravan.imports.GivenParameters;
import dev.caravan.imports.ImportParameters;
import dev.caravan.imports.Imports;
import dev.caravan.imports.SftpImport;
import dev.caravan.job.IfRunning;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.IdempotencyKey;
import dev.caravan.job.Launch;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.job.jdbc.JobReports;
import dev.caravan.outbox.webhook.CallbackUrls;
import dev.caravan.setup.HostWaits;
import dev.caravan.setup.RefusedSetup;
import dev.caravan.setup.SftpOverrides;
import dev.caravan.setup.StoredProject;
import dev.caravan.upload.StoredUpload;
import dev.caravan.upload.Uploads;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/**
 * Answers {@code POST /api/v1/import}: the files of a project's server that are ready, or those
 * that the call names.
 */
public final class ImportApi {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final JobReports reports;
  private final JobLauncher launcher;
  private final CallbackUrls callbacks;
  private final Imports imports;
  private final Uploads uploads;
  private final HostWaits waits;

  /**
   * @param imports that run here
   * @param uploads which imports may load
   */
  public ImportApi(
      JobReports reports,
      JobLauncher launcher,
      CallbackUrls callbacks,
      Imports imports,
      Uploads uploads,
      HostWaits waits) {
    this.waits = waits;
    this.reports = reports;
    this.launcher = launcher;
    this.callbacks = callbacks;
    this.imports = imports;
    this.uploads = uploads;
  }

  /** Launches the import of a project. */
  public Object startImport(
      @Body String body, @Header("Idempotency-Key") String key, Exchange exchange)
      throws JsonProcessingException {
    JsonNode wanted = JSON.readTree(body);
    String tenant = Answer.caller(exchange).tenant();
    return Answer.of(
        exchange,
        () -> {
          // A name that the call brings is looked up.
          Launch launch =
              wanted.hasNonNull("callback_url") || wanted.has("sftp")
                  ? waits.run(tenant, () -> launch(tenant, wanted, Optional.ofNullable(key)))
                  : launch(tenant, wanted, Optional.ofNullable(key));
          return Optional.of(
              Answer.accepted(
                  exchange,
                  launch.jobId(),
                  reports.state(tenant, launch.jobId()),
                  launch.outcome()));
        });
  }

  private Launch launch(String tenant, JsonNode wanted, Optional<String> key) throws SQLException {
    SftpImport project =
        imports
            .find(tenant, wanted.get("project").textValue())
            .orElseThrow(() -> RefusedSetup.invalid("/project", "is not the name of a project"));
    requireOneSource(wanted);
    List<StoredUpload> uploaded = uploaded(tenant, wanted);
    JobRequest request = request(project, wanted, uploaded);
    if (uploaded.size() < wanted.path("uploads").size()) {
      return repeated(request, key, firstMissing(wanted, uploaded));
    }
    request
        .queue("default", wanted.path("priority").asInt())
        .single(
            "import-" + StoredProject.key(tenant, wanted.get("project").textValue()),
            IfRunning.valueOf(wanted.path("if_running").asText("queue").toUpperCase(Locale.ROOT)));
    if (wanted.has("start_within")) {
      request.startWithin(Duration.ofSeconds(wanted.get("start_within").intValue()));
    }
    if (wanted.hasNonNull("callback_url")) {
      callbacks.check(wanted.get("callback_url").textValue());
      request.callbackUrl(wanted.get("callback_url").textValue());
    }
    key.ifPresent(
        word -> request.idempotencyKey(new IdempotencyKey(word, sha256(wanted, uploaded))));
    return launcher.launch(request);
  }

  private static void requireOneSource(JsonNode wanted) {
    List<String> given = Stream.of("uploads", "files", "sftp").filter(wanted::has).toList();
    if (given.size() > 1) {
      throw RefusedSetup.invalid(
          "/" + given.get(1), "given beside %s; allowed: one of them".formatted(given.get(0)));
    }
  }

  /** Those that are there. */
  private List<StoredUpload> uploaded(String tenant, JsonNode wanted) throws SQLException {
    List<StoredUpload> files = new ArrayList<>();
    for (UUID id : ids(wanted)) {
      uploads.find(tenant, id).ifPresent(files::add);
    }
    return files;
  }

  private static List<UUID> ids(JsonNode wanted) {
    List<UUID> ids = new ArrayList<>();
    wanted.path("uploads").forEach(id -> ids.add(UUID.fromString(id.textValue())));
    return ids;
  }

  private static int firstMissing(JsonNode wanted, List<StoredUpload> uploaded) {
    List<UUID> missing = ids(wanted);
    uploaded.forEach(file -> missing.remove(file.id()));
    return ids(wanted).indexOf(missing.get(0));
  }

  /** An upload goes with the job that loaded it, of which the caller may not have heard. */
  private Launch repeated(JobRequest request, Optional<String> key, int missing)
      throws SQLException {
    Optional<UUID> known =
        key.isPresent()
            ? launcher.repeated(request.tenant(), key.get(), request.parameters())
            : Optional.empty();
    return new Launch(
        Launch.Outcome.REPEATED,
        known.orElseThrow(
            () -> RefusedSetup.invalid("/uploads/" + missing, "is no upload, or none any more")));
  }

  private JobRequest request(SftpImport project, JsonNode wanted, List<StoredUpload> uploaded) {
    boolean force = wanted.path("force").asBoolean();
    if (wanted.has("uploads")) {
      List<String> names = uploaded.stream().map(StoredUpload::filename).toList();
      return project
          .jobs()
          .request(
              new GivenParameters(ids(wanted), List.of(), null, force), only("/uploads", names));
    }
    if (wanted.has("files")) {
      List<String> files = new ArrayList<>();
      wanted.get("files").forEach(file -> files.add(file.textValue()));
      return project
          .jobs()
          .request(
              new GivenParameters(List.of(), files, null, force),
              only("/files", localNames(project, files)));
    }
    if (wanted.has("sftp")) {
      SftpOverrides.Kept sftp = project.given().override(wanted.get("sftp").toString());
      return project
          .jobs()
          .request(new GivenParameters(List.of(), List.of(), sftp, force), Optional.empty());
    }
    return project.jobs().request(new ImportParameters(List.of(), force));
  }

  private static List<String> localNames(SftpImport project, List<String> files) {
    List<String> names = new ArrayList<>();
    for (String file : files) {
      try {
        names.add(project.given().local(file).getFileName().toString());
      } catch (InvalidParameter e) {
        throw RefusedSetup.invalid("/files/" + names.size(), e.detail());
      }
    }
    return names;
  }

  /** Files of one job are told apart by their names. */
  private static Optional<String> only(String at, List<String> names) {
    if (names.stream().distinct().count() < names.size()) {
      throw RefusedSetup.invalid(at, "has two files of the same name");
    }
    return names.size() == 1 ? Optional.of(names.get(0)) : Optional.empty();
  }

  /**
   * Of what was asked, however it was written; a file that is uploaded again is the same one, and
   * secrets are left out.
   */
  private static String sha256(JsonNode wanted, List<StoredUpload> uploaded) {
    ObjectNode asked = wanted.deepCopy();
    if (!uploaded.isEmpty()) {
      ArrayNode contents = asked.putArray("uploads");
      uploaded.forEach(file -> contents.add(file.sha256() + " " + file.filename()));
    }
    if (asked.get("sftp") instanceof ObjectNode sftp) {
      sftp.remove(SftpOverrides.SECRETS);
    }
    try {
      byte[] bytes = asked.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
