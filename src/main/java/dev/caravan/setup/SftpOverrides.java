package dev.caravan.setup;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.project.SftpConfig;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.project.SftpServer;
import dev.caravan.secret.Secrets;
import dev.caravan.secret.Secrets.Place;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Servers, or folders, that single imports name instead of their project's. */
public final class SftpOverrides {

  /** The keys that are secrets. */
  public static final List<String> SECRETS = ProjectConfigReader.SECRETS;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ProjectRules rules;
  private final Secrets secrets;
  private final ProjectConfigReader reader = new ProjectConfigReader(Map.of());

  /**
   * As it is kept with a job.
   *
   * @param id what its secrets are bound to
   * @param sftp keys as in a project, with masks in the place of secrets
   * @param secrets encrypted, by their keys
   */
  public record Kept(UUID id, ObjectNode sftp, Map<String, byte[]> secrets) {}

  /** Checked by the rules for projects. */
  public SftpOverrides(ProjectRules rules, Secrets secrets) {
    this.rules = rules;
    this.secrets = secrets;
  }

  /**
   * Checks one and makes it ready to be kept.
   *
   * @param json with a {@code host}, its login and its key, or only with another {@code
   *     remote_path} on the project's server
   * @throws RefusedSetup with all that is wrong
   */
  public Kept keep(String tenant, ProjectConfig project, String json) {
    ObjectNode document = document(object(json));
    rules.checkOverride(tenant, document);
    UUID id = UUID.randomUUID();
    Map<String, byte[]> encrypted = new HashMap<>();
    ProjectSecrets.take(document)
        .forEach(
            (key, secret) ->
                encrypted.put(key, secrets.encrypt(secret, place(tenant, id, project, key))));
    return new Kept(id, (ObjectNode) document.get("sftp"), encrypted);
  }

  /**
   * Where the files of the import are. Nothing becomes of them after the load, and they are whole
   * when somebody asks for them, unless a settle time is given.
   *
   * @throws dev.caravan.failure.CaravanException SECRET_UNREADABLE when its secrets cannot be read
   */
  public SftpConfig config(String tenant, ProjectConfig project, Kept kept) {
    ObjectNode document = document(kept.sftp());
    Map<String, String> plain = new HashMap<>();
    kept.secrets()
        .forEach(
            (key, secret) ->
                plain.put(key, secrets.decrypt(secret, place(tenant, kept.id(), project, key))));
    ProjectSecrets.put(document, plain);
    SftpConfig given = reader.read(document.toString(), "sftp").sftp();
    SftpConfig of = project.sftp();
    Optional<SftpServer> server = given.server().or(of::server);
    return new SftpConfig(
        server,
        given.remotePath(),
        AfterLoad.KEEP,
        of.moveTo(),
        of.pollInterval(),
        of.doneMarker(),
        kept.sftp().hasNonNull("stable_seconds") ? given.stable() : Duration.ZERO,
        kept.sftp().hasNonNull("links") ? given.links() : of.links(),
        of.byContent(),
        of.download());
  }

  /** Whether it names a server of its own, not only another folder of the project's. */
  public static boolean namesServer(Kept kept) {
    return kept.sftp().hasNonNull("host");
  }

  private static Place place(String tenant, UUID id, ProjectConfig project, String key) {
    return new Place(tenant, id, "import " + project.project() + " sftp." + key);
  }

  /** A project that has nothing else to be checked. */
  private static ObjectNode document(ObjectNode sftp) {
    ObjectNode document = JSON.createObjectNode().put("project", "import").put("connection", "any");
    document.set("sftp", sftp.deepCopy());
    document.putObject("defaults").put("file_pattern", "*").put("mode", "append");
    return document;
  }

  private static ObjectNode object(String json) {
    try {
      return (ObjectNode) JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The document takes JSON objects only", e);
    }
  }
}
