package dev.caravan.project;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One project, checked and complete: nothing in it is left to a default.
 *
 * @param project its name
 * @param connection name of the database connection that the rows go to
 * @param tables the rules in the order in which they are tried: the project's own entries, then, if
 *     {@code defaults} has a file pattern, the rule for every other file
 */
public record ProjectConfig(
    String project,
    String connection,
    SftpConfig sftp,
    ScheduleConfig schedule,
    TableNaming tableNaming,
    List<TableRule> tables) {

  private static final int MAX_UNMATCHED = 5;

  public ProjectConfig {
    tables = List.copyOf(tables);
  }

  /** The same project with its files elsewhere. */
  public ProjectConfig withSftp(SftpConfig other) {
    return new ProjectConfig(project, connection, other, schedule, tableNaming, tables);
  }

  /**
   * Whether a file is one of this project's. Unlike {@link #plan} it never fails, so that a file
   * with an impossible name can be told apart in a listing and fail by itself.
   *
   * @param fileName as for {@link #plan}
   */
  public boolean covers(String fileName) {
    return ruleFor(fileName).isPresent();
  }

  /**
   * Where and how a file is loaded; empty when it is none of this project's files.
   *
   * @param fileName plain name as the server gives it, which is not trusted: it is compared and
   *     taken apart, never evaluated and never used as a path
   * @throws dev.caravan.failure.CaravanException BAD_NAME or NAME_TOO_LONG when a rule matches but
   *     the name is no plain file name or gives no table name
   */
  public Optional<TablePlan> plan(String fileName) {
    return ruleFor(fileName).map(rule -> rule.plan(new FileName(fileName), tableNaming));
  }

  /**
   * The files of a folder that no pattern matches, for people; empty when there are none. Markers
   * are expected to match nothing.
   *
   * @param fileNames plain names of all files of the folder
   */
  public Optional<String> unmatched(Collection<String> fileNames) {
    List<String> names =
        fileNames.stream().filter(name -> !isMarker(name) && !covers(name)).sorted().toList();
    if (names.isEmpty()) {
      return Optional.empty();
    }
    String shown = names.stream().limit(MAX_UNMATCHED).collect(Collectors.joining(", "));
    String missed =
        tables.stream()
            .map(TableRule::filePattern)
            .filter(pattern -> names.stream().anyMatch(pattern::matchesInOtherCase))
            .map(pattern -> "; %s differs in case".formatted(pattern))
            .distinct()
            .collect(Collectors.joining());
    return Optional.of(
        "%d %s in the folder %s no pattern (%s%s%s)"
            .formatted(
                names.size(),
                names.size() == 1 ? "file" : "files",
                names.size() == 1 ? "matches" : "match",
                shown.replaceAll("\\p{Cntrl}", "?"),
                names.size() > MAX_UNMATCHED ? ", …" : "",
                missed));
  }

  private boolean isMarker(String fileName) {
    return sftp.doneMarker().filter(marker -> marker.isMarker(fileName)).isPresent();
  }

  private Optional<TableRule> ruleFor(String fileName) {
    if (isMarker(fileName)) {
      return Optional.empty();
    }
    return tables.stream().filter(rule -> rule.filePattern().matches(fileName)).findFirst();
  }
}
