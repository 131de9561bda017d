package dev.caravan.sync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.job.JobRequest;
import dev.caravan.job.camel.Schedule;
import dev.caravan.job.camel.Schedules;
import dev.caravan.job.jdbc.ScheduleFires;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Syncs at the instants of calendars. What a schedule launches is a short job of its own, which
 * starts the sync as a caller would: while the source cannot be reached, the queue tries it again.
 */
public final class SyncSchedules {

  /** Route of the job that starts a sync; its body is one entry of the file. */
  private static final String START = "start-sync";

  private static final Logger LOG = LoggerFactory.getLogger(SyncSchedules.class);

  private static final ObjectMapper YAML = strict(new YAMLMapper());
  private static final ObjectMapper JSON = strict(new ObjectMapper());

  private final ModuleSync sync;
  private final ModuleSync.Settings settings;

  private record Entries(List<SyncSchedule> schedules) {}

  /** Starts syncs there. */
  public SyncSchedules(ModuleSync sync, ModuleSync.Settings settings) {
    this.sync = sync;
    this.settings = settings;
  }

  private static ObjectMapper strict(ObjectMapper mapper) {
    return mapper
        .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);
  }

  /**
   * Makes a schedule of each entry of a file.
   *
   * @throws CaravanException CONFIG_INVALID with the place and what is allowed
   */
  public void add(Schedules schedules, Path file, ScheduleFires fires) {
    for (SyncSchedule entry : read(file)) {
      schedules.add(
          new Schedule(
              "sync-" + entry.name(),
              entry.cron(),
              zone(file, entry),
              entry.runMissed() ? Schedule.Misfire.RUN_ONCE : Schedule.Misfire.SKIP,
              () -> request(entry),
              fires,
              Clock.systemUTC()));
    }
  }

  private static List<SyncSchedule> read(Path file) {
    List<SyncSchedule> schedules;
    try {
      schedules = YAML.readValue(Files.readString(file), Entries.class).schedules();
    } catch (JsonMappingException e) {
      throw invalid(file, place(e), e.getOriginalMessage());
    } catch (JsonProcessingException e) {
      throw invalid(file, "", e.getOriginalMessage());
    } catch (IOException e) {
      throw invalid(file, "", "cannot be read: " + e);
    }
    if (schedules == null) {
      return List.of();
    }
    List<String> names = new ArrayList<>();
    for (SyncSchedule entry : schedules) {
      if (!entry.name().matches("[A-Za-z0-9][A-Za-z0-9_-]{0,62}") || names.contains(entry.name())) {
        throw invalid(
            file,
            "name",
            "found '%s'; allowed are A-Z a-z 0-9 _ - and each name once".formatted(entry.name()));
      }
      names.add(entry.name());
    }
    return schedules;
  }

  /** Such as {@code schedules.0.year}. */
  private static String place(JsonMappingException e) {
    return e.getPath().stream()
        .map(step -> step.getFieldName() == null ? "" + step.getIndex() : step.getFieldName())
        .collect(Collectors.joining("."));
  }

  private static ZoneId zone(Path file, SyncSchedule entry) {
    try {
      return ZoneId.of(entry.timeZone());
    } catch (DateTimeException e) {
      throw invalid(
          file,
          entry.name() + ": time_zone",
          "found '%s'; allowed is a zone such as Europe/Zurich".formatted(entry.timeZone()));
    }
  }

  private static CaravanException invalid(Path file, String at, String what) {
    return new CaravanException(FailureCode.CONFIG_INVALID, "%s: %s: %s".formatted(file, at, what));
  }

  private JobRequest request(SyncSchedule entry) {
    try {
      return new JobRequest(START, ModuleSync.PROJECT, START)
          .parameters(JSON.writeValueAsString(entry))
          .attempts(settings.retry().attempts(), settings.timeout());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Route step: starts the sync of the entry that is the body. */
  public void start(String entryJson) throws SQLException, JsonProcessingException {
    SyncSchedule entry = JSON.readValue(entryJson, new TypeReference<>() {});
    int id =
        sync.start(
                new SyncRequest(
                    entry.moduleId(),
                    entry.factorTypeId(),
                    entry.providerType(),
                    entry.year(),
                    orEmpty(entry.filters()),
                    orEmpty(entry.config()),
                    "schedule " + entry.name()))
            .orElseThrow(
                () ->
                    new CaravanException(
                        FailureCode.CONFIG_INVALID,
                        "schedule %s: there is no module %d, or it has no factor type %s."
                            .formatted(entry.name(), entry.moduleId(), entry.factorTypeId())));
    LOG.info("Schedule {} started sync {}", entry.name(), id);
  }

  private static ObjectNode orEmpty(ObjectNode node) {
    return node == null ? JSON.createObjectNode() : node;
  }
}
