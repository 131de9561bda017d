package dev.caravan.torture;

import dev.caravan.failure.CaravanException;
import dev.caravan.job.JobRequest;
import dev.caravan.job.JobRequest.SourceFile;
import dev.caravan.job.camel.JobControl;
import dev.caravan.job.jdbc.JdbcJobRepository;
import dev.caravan.job.jdbc.JobLauncher;
import dev.caravan.outbox.Outbox;
import dev.caravan.outbox.webhook.JobWebhook;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;

/**
 * What the nodes have to do: files with keys of their own, some found by a poll and some launched
 * with force, and now and then somebody who cancels a job or has it done again.
 */
final class Load {

  private final Rig rig;
  private final Random random;
  private final boolean onlyForced;
  private final JobLauncher launcher;
  private final JobControl control;
  private int files;
  private int cancelled;

  /**
   * @param onlyForced true to give no job the protection of the content's hash
   */
  Load(Rig rig, long seed, boolean onlyForced) {
    this.rig = rig;
    this.random = new Random(seed);
    this.onlyForced = onlyForced;
    var direct = rig.postgres.dataSource();
    this.launcher = new JobLauncher(direct, 100_000, () -> {}, List.of());
    JdbcJobRepository jobs =
        new JdbcJobRepository(
            direct,
            "torture",
            (connection, job, effect) -> {
              if (effect.kind().equals(dev.caravan.job.Effect.CALLBACK)) {
                JobWebhook.add(connection, job, effect.payload());
              } else {
                Outbox.add(connection, job, effect.kind(), effect.payload(), effect.delay());
              }
            },
            java.util.List.of(),
            List.of());
    this.control = new JobControl(jobs, name -> direct);
  }

  int files() {
    return files;
  }

  /** Of how many jobs somebody was told that they are cancelled. */
  int cancelled() {
    return cancelled;
  }

  /** One thing that happens. */
  void next() throws IOException {
    offer();
    if (random.nextInt(12) == 0) {
      cancel();
    }
    if (random.nextInt(8) == 0) {
      retryOne();
    }
  }

  private void offer() throws IOException {
    String target = Rig.TARGETS.get(random.nextInt(Rig.TARGETS.size()));
    String folder = random.nextInt(4) == 0 ? "temp/" : "";
    // the long ones pass K6, which comes every 1,024 records
    int rows = random.nextInt(8) == 0 ? 2_000 : 50 + random.nextInt(151);
    String file = "%s-%05d.csv".formatted(target, ++files);
    rig.execute(
        "INSERT INTO torture.file VALUES ('%s', '%s', %d) ON CONFLICT DO NOTHING"
            .formatted(file, target, rows));
    rig.sftp.put(folder + file, content(file, rows));
    if (onlyForced || random.nextInt(3) == 0) {
      launch(folder, file, target, random.nextInt(3) == 0);
    }
  }

  private String content(String file, int rows) {
    StringBuilder content = new StringBuilder("id,file,n\n");
    for (int i = 0; i < rows; i++) {
      content.append("%s/%d,%s,%d%n".formatted(file, i, file, random.nextInt(1_000_000)));
    }
    return content.toString();
  }

  /** If a poll was faster, or PostgreSQL is away, the poll's job is as good. */
  private void launch(String folder, String file, String target, boolean callback)
      throws IOException {
    launchOnce(sourced(folder, file, target, callback));
  }

  /** The request for a file that is there. */
  JobRequest sourced(String folder, String file, String target, boolean callback)
      throws IOException {
    var path = rig.sftp.file(folder + file);
    Instant modified = Files.getLastModifiedTime(path).toInstant().truncatedTo(ChronoUnit.SECONDS);
    return request(folder, file, target, callback)
        .source(new SourceFile(file, Files.size(path), modified));
  }

  /** To load a file whatever was loaded before. */
  private JobRequest request(String folder, String file, String target, boolean callback) {
    String project = Rig.PROJECTS.get(folder);
    JobRequest request =
        new JobRequest("import-sftp", project, "import-sftp")
            .connection("warehouse")
            .target("warehouse/public." + target)
            .parameters("{\"files\": [\"%s\"], \"force\": true}".formatted(file))
            .attempts(11, Duration.ofMinutes(1));
    return callback ? request.callbackUrl(rig.callbackUrl()) : request;
  }

  /** Launches unless PostgreSQL is away. */
  void launchOnce(JobRequest request) {
    try {
      launcher.launch(request);
    } catch (SQLException e) {
      // committed or not: the file has one job in either case
    }
  }

  private void cancel() {
    String job =
        rig.value(
            """
            SELECT id FROM caravan.job WHERE state IN ('queued', 'running')
            ORDER BY state = 'running' DESC, random() LIMIT 1""");
    if (job == null) {
      return;
    }
    try {
      if (control.cancel(UUID.fromString(job))) {
        cancelled++;
        rig.execute("INSERT INTO torture.cancelled VALUES ('%s')".formatted(job));
      }
    } catch (CaravanException | SQLException e) {
      // told that it is too late, or told nothing
    }
  }

  /**
   * Has one job done again that did not complete, unless the file has found another way.
   *
   * @return false when there is none
   */
  boolean retryOne() {
    String job =
        rig.value(
            """
            SELECT id FROM caravan.job j WHERE state IN ('failed', 'cancelled') AND route IS NOT NULL
              AND NOT EXISTS (SELECT FROM caravan.load l WHERE l.file = j.parameters #>> '{files,0}')
              AND NOT EXISTS (SELECT FROM caravan.job o WHERE o.seq > j.seq
                AND o.parameters #>> '{files,0}' = j.parameters #>> '{files,0}')
            ORDER BY seq LIMIT 1""");
    if (job == null) {
      return false;
    }
    try {
      Optional<UUID> again = launcher.retry(UUID.fromString(job));
      return again.isPresent();
    } catch (SQLException e) {
      return true; // whether it was committed is seen when it is asked for the next time
    }
  }
}
