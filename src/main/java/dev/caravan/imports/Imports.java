package dev.caravan.imports;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.ProjectConfig;
import dev.caravan.setup.Connections;
import dev.caravan.setup.Projects;
import dev.caravan.setup.StoredProject;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The imports that run on this node: those of project files, and those of stored projects, which
 * come, change and go while it runs.
 */
public final class Imports implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Imports.class);

  private final SftpImport.Surroundings around;
  private final Projects projects;
  private final Map<String, SftpImport> running = new ConcurrentHashMap<>();
  private final Map<String, Long> versions = new HashMap<>();
  private final Set<String> failed = new HashSet<>();

  /** None runs yet. */
  public Imports(SftpImport.Surroundings around, Projects projects) {
    this.around = around;
    this.projects = projects;
  }

  /**
   * Adds the import of a project file.
   *
   * @throws CaravanException CONFIG_INVALID when it cannot be started
   */
  public void addOfFile(ProjectConfig project) {
    try {
      running.put(project.project(), SftpImport.add(around, Connections.OPERATOR, project));
    } catch (CaravanException e) {
      throw e;
    } catch (Exception e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "project %s cannot be started: %s".formatted(project.project(), e.getMessage()),
          e);
    }
  }

  /** By the project's key; empty when no such one runs here. */
  public Optional<SftpImport> find(String key) {
    return Optional.ofNullable(running.get(key));
  }

  /** As above, of a tenant; one that was stored a moment ago is started. */
  public Optional<SftpImport> find(String tenant, String name) throws SQLException {
    String key = StoredProject.key(tenant, name);
    if (!running.containsKey(key)) {
      sync();
    }
    return find(key);
  }

  /** Makes up for instants of schedules that were missed. */
  public void catchUp() throws SQLException {
    for (SftpImport one : running.values()) {
      if (one.schedule().isPresent()) {
        one.schedule().get().catchUp();
      }
    }
  }

  /**
   * Takes over what was stored, changed or deleted, on whatever node. An import that works is
   * replaced or removed once it does not; one that cannot be started is tried again each time.
   */
  public synchronized void sync() throws SQLException {
    Map<String, StoredProject> wanted = projects.stored();
    for (String key : Set.copyOf(versions.keySet())) {
      StoredProject now = wanted.get(key);
      if ((now == null || now.version() != versions.get(key)) && !running.get(key).isBusy()) {
        remove(key);
      }
    }
    for (StoredProject project : wanted.values()) {
      if (!running.containsKey(project.key())) {
        start(project);
      }
    }
  }

  private void remove(String key) {
    SftpImport old = running.remove(key);
    versions.remove(key);
    try {
      old.remove();
    } catch (Exception e) {
      LOG.warn("The routes of project {} were not removed as they should: {}", key, e.toString());
    }
  }

  private void start(StoredProject project) throws SQLException {
    try {
      ProjectConfig config = projects.config(project);
      running.put(project.key(), SftpImport.add(around, project.tenant(), config));
      versions.put(project.key(), project.version());
      failed.remove(project.key());
      LOG.info("Project {} is imported as of version {}", project.key(), project.version());
    } catch (SQLException e) {
      throw e;
    } catch (Exception e) {
      if (failed.add(project.key())) {
        LOG.error("Project {} cannot be started: {}", project.key(), e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    running.values().forEach(SftpImport::close);
  }
}
