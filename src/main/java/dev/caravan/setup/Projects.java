package dev.caravan.setup;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.setup.RefusedSetup.Finding;
import dev.caravan.setup.jdbc.ProjectTable;
import dev.caravan.setup.jdbc.ProjectTable.Draft;
import java.lang.ref.WeakReference;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** The projects that tenants have, those of files among them. */
public final class Projects {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Ten times what an idle project was measured to cost: docs/reliability.md. */
  private static final long BYTES_EACH = 50_000;

  private final ProjectTable table;
  private final List<StoredProject> ofFiles;
  private final Connections connections;
  private final ProjectRules rules;
  private final ProjectConfigReader reader = new ProjectConfigReader(Map.of());

  /** What was read of a version; kept until memory is cleaned up. */
  private record Read(long version, WeakReference<ProjectConfig> config) {}

  private final Map<String, Read> read = new ConcurrentHashMap<>();

  /** How many stored projects there are, and the sum of their versions, which only grow. */
  public record Mark(long projects, long versions) {}

  /**
   * @param ofFiles those of files, read only
   */
  public Projects(
      ProjectTable table,
      List<StoredProject> ofFiles,
      Connections connections,
      ProjectRules rules) {
    this.table = table;
    this.ofFiles = List.copyOf(ofFiles);
    this.connections = connections;
    this.rules = rules;
  }

  /**
   * Those of a tenant, by name.
   *
   * @param after only those whose name comes later than this; empty for all
   * @param most at the most; empty for all
   * @return projects, without their configuration where those before come to 4 MB
   */
  public List<StoredProject> list(String tenant, String after, Optional<Integer> most)
      throws SQLException {
    List<StoredProject> all = new ArrayList<>(table.list(tenant, after, most));
    ofFiles.stream()
        .filter(p -> p.tenant().equals(tenant) && p.name().compareTo(after) > 0)
        .forEach(all::add);
    all.sort(Comparator.comparing(StoredProject::name));
    return all.subList(0, Math.min(all.size(), most.orElse(all.size())));
  }

  /** One of a tenant. */
  public Optional<StoredProject> find(String tenant, String name) throws SQLException {
    Optional<StoredProject> ofFile =
        ofFiles.stream()
            .filter(p -> p.tenant().equals(tenant) && p.name().equals(name))
            .findFirst();
    return ofFile.isPresent() ? ofFile : table.find(tenant, name);
  }

  /**
   * Adds one.
   *
   * @param json as docs/projects.md has it
   * @throws RefusedSetup when it breaks rules or the name is taken
   */
  public StoredProject create(String tenant, String json) throws SQLException {
    Draft draft = draft(tenant, json, Optional.empty());
    if (find(tenant, draft.name()).isPresent()) {
      throw RefusedSetup.conflict("There is a project '%s' already.".formatted(draft.name()));
    }
    requireRoom();
    return table.create(draft);
  }

  /** Refused before memory is short, not when it is. */
  private void requireRoom() throws SQLException {
    long most = Runtime.getRuntime().maxMemory() / BYTES_EACH;
    if (table.mark().projects() >= most) {
      throw RefusedSetup.conflict(
          "There are %d projects, as many as the memory of this node has room for; delete some, or give it more (-Xmx)."
              .formatted(most));
    }
  }

  /**
   * Replaces one; a secret that is given as it is shown stays.
   *
   * @return empty when the tenant has no such project
   * @throws RefusedSetup as above, and when a secret would go to another server
   */
  public Optional<StoredProject> replace(String tenant, String name, String json)
      throws SQLException {
    Optional<StoredProject> before = requireOwn(tenant, name);
    if (before.isEmpty()) {
      return before;
    }
    Draft draft = draft(tenant, json, before);
    if (!draft.name().equals(name)) {
      throw RefusedSetup.invalid("/project", "found another name; allowed is " + name);
    }
    return Optional.of(table.replace(before.get(), draft));
  }

  /** Removes one; false when the tenant has no such project. */
  public boolean delete(String tenant, String name) throws SQLException {
    Optional<StoredProject> before = requireOwn(tenant, name);
    return before.isPresent() && table.delete(tenant, before.get().id());
  }

  private Optional<StoredProject> requireOwn(String tenant, String name) throws SQLException {
    Optional<StoredProject> found = find(tenant, name);
    if (found.filter(StoredProject::readOnly).isPresent()) {
      throw RefusedSetup.conflict("The project stands in a file; change it there.");
    }
    return found;
  }

  private Draft draft(String tenant, String json, Optional<StoredProject> before)
      throws SQLException {
    ObjectNode document = object(json);
    if (before.isPresent()) {
      ProjectSecrets.keep(
          document, object(before.get().config()), table.secrets(before.get().id()));
    }
    ProjectConfig config = rules.check(tenant, document);
    Optional<StoredConnection> connection = connections.find(tenant, config.connection());
    if (connection.isEmpty()) {
      throw RefusedSetup.invalid(
          List.of(
              new Finding(
                  "/connection",
                  "found a connection that is not there; allowed are those of /api/v1/connections")));
    }
    Map<String, String> secrets = ProjectSecrets.take(document);
    return new Draft(tenant, config.project(), connection.get().id(), document.toString(), secrets);
  }

  private static ObjectNode object(String json) {
    try {
      return (ObjectNode) JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The document takes JSON objects only", e);
    }
  }

  /** What becomes another one with each change of a stored project of whatever tenant. */
  public Mark mark() throws SQLException {
    return table.mark();
  }

  /** The versions of the stored projects of all tenants, by {@link StoredProject#key()}. */
  public Map<String, Long> versions() throws SQLException {
    return table.versions();
  }

  /**
   * A stored project as jobs have it: named by its key, with secrets and database.
   *
   * @return empty when there is no such one
   * @throws CaravanException CONFIG_INVALID when what is stored breaks rules, SECRET_UNREADABLE
   *     when a secret cannot be decrypted
   */
  public Optional<ProjectConfig> config(String key) throws SQLException {
    String tenant = StoredProject.tenantOf(key);
    String name = StoredProject.nameOf(key);
    Optional<Long> version = table.version(tenant, name);
    if (version.isEmpty()) {
      read.remove(key);
      return Optional.empty();
    }
    Read known = read.get(key);
    ProjectConfig config = known == null ? null : known.config().get();
    if (config != null && known.version() == version.get()) {
      return Optional.of(config);
    }
    Optional<StoredProject> stored = table.find(tenant, name);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    ProjectConfig now = config(stored.get());
    read.put(key, new Read(stored.get().version(), new WeakReference<>(now)));
    return Optional.of(now);
  }

  private ProjectConfig config(StoredProject project) throws SQLException {
    ObjectNode document = object(project.config());
    ProjectSecrets.put(document, table.secrets(project.id()));
    ProjectConfig config = reader.read(document.toString(), project.key());
    String connection =
        connections
            .find(project.tenant(), project.connectionId())
            .map(Connections::bean)
            .orElseThrow(
                () ->
                    new CaravanException(
                        FailureCode.CONFIG_INVALID,
                        "%s: connection: found '%s', which is not there any more"
                            .formatted(project.key(), config.connection())));
    return new ProjectConfig(
        project.key(),
        connection,
        config.sftp(),
        config.schedule(),
        config.tableNaming(),
        config.tables());
  }

  /** The id of a project of a file: the same on every node and after every start. */
  public static UUID idOf(String nameInFile) {
    return Connections.idOf("project." + nameInFile);
  }
}
