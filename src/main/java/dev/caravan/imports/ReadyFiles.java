package dev.caravan.imports;

import dev.caravan.job.queue.RunningJob;
import dev.caravan.project.DoneMarker;
import dev.caravan.project.ProjectConfig;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.source.sftp.SftpSource.Listing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Looks for the files of a project's folder that may be loaded now, and says why others are not.
 */
final class ReadyFiles {

  private static final int MAX_NAMED = 5;

  private final ProjectConfig project;
  private final SftpSource source;
  private final Predicate<FileStamp> settled;

  /**
   * What was found.
   *
   * @param files in the order of their times
   * @param left what is to be said of other files, each a sentence without its full stop
   */
  record Found(List<FileStamp> files, List<String> left) {}

  /**
   * @param settled true for a file that need not be watched for a while before it is loaded
   */
  ReadyFiles(ProjectConfig project, SftpSource source, Predicate<FileStamp> settled) {
    this.project = project;
    this.source = source;
    this.settled = settled;
  }

  /**
   * Looks; and, when files are there that may still be written, looks again after the project's
   * settle time. Those that changed meanwhile are left for the next import.
   */
  Found find(RunningJob job) throws InterruptedException {
    Listing listing = source.look();
    List<FileStamp> complete = complete(project, listing.files());
    List<String> left = new ArrayList<>(notes(project, listing));
    Duration stable = project.sftp().stable();
    if (stable.isZero() || complete.stream().allMatch(settled)) {
      return new Found(complete, left);
    }
    job.pause(stable);
    Set<FileStamp> same = new HashSet<>(source.list());
    List<FileStamp> files =
        complete.stream().filter(file -> settled.test(file) || same.contains(file)).toList();
    List<String> changed =
        complete.stream().filter(file -> !files.contains(file)).map(FileStamp::name).toList();
    if (!changed.isEmpty()) {
      left.add(
          "Left for the next import, because they changed within %d s: %s"
              .formatted(stable.toSeconds(), joined(changed)));
    }
    return new Found(files, left);
  }

  /** Those of the project's files whose marker is there, if it wants one. */
  private static List<FileStamp> complete(ProjectConfig project, List<FileStamp> listed) {
    Set<String> names = names(listed);
    Optional<DoneMarker> marker = project.sftp().doneMarker();
    return listed.stream()
        .filter(file -> project.covers(file.name()))
        .filter(file -> isComplete(marker, file, names))
        .toList();
  }

  /** Whether the marker of a file is among the names of its folder, if there are markers. */
  static boolean isComplete(Optional<DoneMarker> marker, FileStamp file, Set<String> names) {
    return marker.isEmpty() || names.contains(marker.get().markerOf(file.name()));
  }

  /** Why files of a folder are not loaded, each a sentence without its full stop. */
  static List<String> notes(ProjectConfig project, Listing listing) {
    List<FileStamp> complete = complete(project, listing.files());
    List<String> notes = new ArrayList<>();
    listing.passedOver().stream()
        .limit(MAX_NAMED)
        .forEach(file -> notes.add("Passed over " + file));
    project.unmatched(names(listing.files())).ifPresent(notes::add);
    List<String> waiting =
        listing.files().stream()
            .filter(file -> project.covers(file.name()) && !complete.contains(file))
            .map(FileStamp::name)
            .toList();
    if (!waiting.isEmpty()) {
      notes.add("Without their done_marker: " + joined(waiting));
    }
    if (listing.files().isEmpty() && notes.isEmpty()) {
      notes.add("There is no file in the folder");
    }
    return notes;
  }

  /** The sentences as one text; empty when there are none. */
  static Optional<String> text(List<String> notes) {
    return notes.isEmpty() ? Optional.empty() : Optional.of(String.join(". ", notes) + ".");
  }

  private static Set<String> names(List<FileStamp> files) {
    return files.stream().map(FileStamp::name).collect(Collectors.toSet());
  }

  private static String joined(List<String> names) {
    String shown = names.stream().limit(MAX_NAMED).collect(Collectors.joining(", "));
    return names.size() > MAX_NAMED
        ? "%s and %d more".formatted(shown, names.size() - MAX_NAMED)
        : shown;
  }
}
