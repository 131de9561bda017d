package dev.caravan.source.sftp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.failure.CaravanException;
import dev.caravan.source.sftp.RemoteEntry.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which files of listings are let through, and when. */
class SftpFileGateTest {

  private final Set<FileStamp> taken = new HashSet<>();
  private long seconds;

  private SftpFileGate gate(int stableSeconds, boolean anyLink) {
    SftpJournal journal =
        new SftpJournal() {
          @Override
          public Set<FileStamp> taken() {
            return Set.copyOf(taken);
          }

          @Override
          public void unreachable(CaravanException cause) {
            throw cause;
          }
        };
    return new SftpFileGate(
        name -> name.endsWith(".csv"),
        journal,
        new SftpFileGate.Rules(Duration.ofSeconds(stableSeconds), anyLink),
        () -> Duration.ofSeconds(seconds).toNanos());
  }

  private static boolean accepts(SftpFileGate gate, RemoteEntry entry) {
    return gate.accept(entry);
  }

  private static RemoteEntry file(String name, long size) {
    return new RemoteEntry(name, Kind.FILE, size, 1_000, false, true);
  }

  /**
   * A poll every 5 s; sizes as it finds them, - for a file that is not there, ! for one that is let
   * through.
   */
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "0, 10 10!",
        "0, 0 0!",
        "0, 10 20 20!",
        "30, 10 10 10 10 10 10 10!",
        "30, 10 10 10 10 10 20 20 20 20 20 20 20!", // a writer that pauses for five polls
        "30, 10 10 10 - 10 10 10 10 10 10 10!",
        "12, 10 10 10 10! 20 20 20 20!" // one that grew after it was let through
      })
  void aFileIsLetThroughOnceWhenItHasBeenTheSameForLongEnough(int stable, String polls) {
    SftpFileGate gate = gate(stable, false);
    List<String> seen = new ArrayList<>();
    for (String poll : polls.split(" ", -1)) {
      gate.startPoll();
      String size = poll.replace("!", "");
      if (!size.equals("-")) {
        RemoteEntry entry = file("a.csv", Long.parseLong(size));
        boolean accepted = accepts(gate, entry);
        if (accepted) {
          assertThat(gate.hasSettled(entry.stamp())).isTrue();
        }
        if (accepted) {
          taken.add(entry.stamp());
          size += "!";
        }
      }
      seen.add(size);
      seconds += 5;
    }
    assertThat(seen).isEqualTo(Arrays.asList(polls.split(" ", -1)));
    gate.startPoll();
    assertThat(accepts(gate, file("a.csv", Long.parseLong(polls.replaceAll(".* |!", "")))))
        .as("again")
        .isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "FILE,        false, true,  false, true",
    "FILE,        true,  true,  false, true",
    "FILE,        true,  false, false, false", // a link that leaves the folder
    "FILE,        true,  false, true,  true",
    "FOLDER,      false, true,  true,  false",
    "FOLDER,      true,  true,  true,  false",
    "BROKEN_LINK, true,  false, true,  false",
    "SPECIAL,     false, true,  true,  false",
    "SPECIAL,     true,  true,  true,  false"
  })
  void onlyFilesAndLinksToFilesAreLetThrough(
      Kind kind, boolean link, boolean inside, boolean anyLink, boolean accepted) {
    SftpFileGate gate = gate(0, anyLink);
    RemoteEntry entry = new RemoteEntry("a.csv", kind, 7, 7, link, inside);
    gate.startPoll();
    accepts(gate, entry);
    gate.startPoll();
    assertThat(accepts(gate, entry)).isEqualTo(accepted);
  }

  @Test
  void sizesAndTimesThatCannotBeAreNoFailure() {
    SftpFileGate gate = gate(0, false);
    List<RemoteEntry> odd =
        List.of(
            new RemoteEntry("a.csv", Kind.FILE, -1, Integer.MIN_VALUE * 1000L, false, true),
            new RemoteEntry("b.csv", Kind.FILE, Long.MIN_VALUE, 0, false, true),
            new RemoteEntry("c.csv", Kind.FILE, Long.MAX_VALUE, -1, false, true));
    for (int poll = 0; poll < 2; poll++) {
      gate.startPoll();
      for (RemoteEntry entry : odd) {
        assertThat(accepts(gate, entry)).isEqualTo(poll == 1);
        assertThat(entry.stamp().size()).isEqualTo(Long.MAX_VALUE);
      }
    }
  }
}
