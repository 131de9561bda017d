package dev.caravan;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.ProjectConfigReader;
import dev.caravan.setup.Connections;
import dev.caravan.setup.Projects;
import dev.caravan.setup.StoredProject;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The projects of the operator's files.
 *
 * @param projects by name
 * @param shown the same as the API shows them
 */
record ProjectFiles(List<ProjectConfig> projects, List<StoredProject> shown) {

  /**
   * Reads the files that the settings name.
   *
   * @throws CaravanException CONFIG_INVALID with all problems of all files
   */
  static ProjectFiles read(Configuration configuration) {
    ProjectConfigReader reader = new ProjectConfigReader(System.getenv());
    Map<String, ProjectConfig> read = new TreeMap<>();
    List<StoredProject> shown = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    for (Path file : configuration.projectFiles()) {
      try {
        ProjectConfig project = reader.read(file);
        if (!configuration.hasConnection(project.connection())) {
          problems.add(
              "%s: connection: found '%s'; allowed are %s and those of caravan.connections.*"
                  .formatted(file, project.connection(), Configuration.MAIN_CONNECTION));
        }
        shown.add(shown(project, reader.shown(file)));
        if (read.put(project.project(), project) != null) {
          problems.add(
              "%s: project: found '%s', which another file is called, too"
                  .formatted(file, project.project()));
        }
      } catch (CaravanException e) {
        problems.add(e.getMessage());
      }
    }
    if (!problems.isEmpty()) {
      throw new CaravanException(FailureCode.CONFIG_INVALID, String.join("\n", problems));
    }
    return new ProjectFiles(List.copyOf(read.values()), List.copyOf(shown));
  }

  private static StoredProject shown(ProjectConfig project, String text) {
    Instant now = Instant.now();
    return new StoredProject(
        Projects.idOf(project.project()),
        Connections.OPERATOR,
        project.project(),
        Connections.idOf(project.connection()),
        text,
        0,
        now,
        now,
        true);
  }

  /** What is looked at when, for the console. */
  Map<String, String> times() {
    Map<String, String> times = new TreeMap<>();
    for (ProjectConfig project : projects) {
      times.put(
          project.project(),
          project
              .schedule()
              .cron()
              .map(cron -> "at " + cron + " " + project.schedule().zone())
              .orElse("every " + project.sftp().pollInterval().toSeconds() + " s"));
    }
    return times;
  }
}
