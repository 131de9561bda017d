package dev.caravan.project;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.project.SftpConfig.AfterLoad;
import dev.caravan.project.SftpConfig.Download;
import dev.caravan.project.SftpConfig.Links;
import dev.caravan.project.TableOptions.Formats;
import dev.caravan.project.TableOptions.MissingRows;
import dev.caravan.project.TableOptions.Mode;
import dev.caravan.project.TableOptions.OnDrift;
import dev.caravan.project.TableOptions.OnError;
import dev.caravan.project.TableOptions.Range;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.EmptyFiles;
import dev.caravan.record.csv.Plausibility;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Makes records of a checked and completed document; every key is there, with a valid value. */
final class ProjectBinding {

  /** Writers pause, and say nothing: half a minute is what most of them need at the most. */
  private static final Duration UNMARKED_STABLE = Duration.ofSeconds(30);

  private ProjectBinding() {}

  static ProjectConfig bind(JsonNode document) {
    return new ProjectConfig(
        text(document, "project"),
        text(document, "connection"),
        sftp(document.get("sftp")),
        schedule(document),
        naming(document.get("table_naming")),
        rules(document));
  }

  private static SftpConfig sftp(JsonNode sftp) {
    return new SftpConfig(
        sftp.hasNonNull("host") ? Optional.of(server(sftp)) : Optional.empty(),
        text(sftp, "remote_path"),
        constant(AfterLoad.class, sftp, "after_load"),
        text(sftp, "move_to"),
        Duration.ofSeconds(sftp.get("poll_seconds").longValue()),
        optional(sftp, "done_marker").map(DoneMarker::of),
        stable(sftp),
        constant(Links.class, sftp, "links"),
        text(sftp, "detect_changes").equals("content"),
        constant(Download.class, sftp, "download"));
  }

  /** Where a marker says that a file is complete, nothing has to be waited for. */
  private static Duration stable(JsonNode sftp) {
    JsonNode given = sftp.get("stable_seconds");
    if (given.isNull()) {
      return sftp.hasNonNull("done_marker") ? Duration.ZERO : UNMARKED_STABLE;
    }
    return Duration.ofSeconds(given.longValue());
  }

  private static ScheduleConfig schedule(JsonNode document) {
    JsonNode schedule = document.get("schedule");
    return new ScheduleConfig(
        optional(schedule, "cron"),
        zone(text(schedule, "time_zone")),
        text(schedule, "misfire").equals("run_once"));
  }

  private static ZoneId zone(String name) {
    try {
      return ZoneId.of(name);
    } catch (DateTimeException e) {
      throw new CaravanException(
          FailureCode.CONFIG_INVALID,
          "schedule.time_zone: found '%s'; allowed is a name of the tz database such as Europe/Zurich."
              .formatted(name),
          e);
    }
  }

  private static SftpServer server(JsonNode sftp) {
    return new SftpServer(
        text(sftp, "host"),
        sftp.get("port").intValue(),
        text(sftp, "username"),
        optional(sftp, "password"),
        optional(sftp, "key_path").map(Path::of),
        optional(sftp, "key_passphrase"),
        optional(sftp, "known_hosts").map(Path::of),
        texts(sftp.get("host_key")).stream().map(ProjectBinding::withoutComment).toList());
  }

  private static String withoutComment(String hostKey) {
    String[] parts = hostKey.split(" ", 3);
    return parts[0] + " " + parts[1];
  }

  private static TableNaming naming(JsonNode naming) {
    return new TableNaming(
        text(naming, "strip_prefix"),
        text(naming, "strip_suffix"),
        naming.get("lowercase").booleanValue());
  }

  private static List<TableRule> rules(JsonNode document) {
    List<TableRule> rules = new ArrayList<>();
    document.get("tables").forEach(table -> rules.add(rule(table)));
    JsonNode defaults = document.get("defaults");
    if (defaults.hasNonNull("file_pattern")) {
      rules.add(rule(defaults));
    }
    return rules;
  }

  private static TableRule rule(JsonNode table) {
    return new TableRule(
        new FileGlob(text(table, "file_pattern")),
        text(table, "db_schema"),
        optional(table, "target_table"),
        options(table));
  }

  private static TableOptions options(JsonNode table) {
    return new TableOptions(
        texts(table.get("primary_key")),
        mapping(table.path("column_mapping")),
        mapping(table.path("columns")),
        table.get("rebuild_table").booleanValue()
            ? Mode.REPLACE
            : constant(Mode.class, table, "mode"),
        optional(table, "range_column")
            .map(
                column ->
                    new Range(column, optional(table, "range_from"), optional(table, "range_to"))),
        constant(MissingRows.class, table, "missing_rows"),
        csv(table),
        constant(OnError.class, table, "on_error"),
        maxErrors(table.get("max_errors")),
        maxErrorRatio(table.get("max_error_ratio")),
        constant(OnDrift.class, table, "on_drift"),
        table.get("allow_empty").booleanValue(),
        new Formats(
            optional(table, "date_format"),
            optional(table, "timestamp_format"),
            text(table, "decimal_separator").charAt(0),
            optional(table, "thousands_separator").map(separator -> separator.charAt(0)),
            texts(table.get("true_values")),
            texts(table.get("false_values"))),
        table.get("infer_types").booleanValue(),
        table.get("set_sequences").booleanValue());
  }

  private static CsvFormat csv(JsonNode table) {
    return CsvFormat.DEFAULT
        .withDelimiter(delimiter(text(table, "delimiter")))
        .withCharset(charset(text(table, "encoding")))
        .withSkipLines(table.get("skiprows").intValue())
        .withTrailer(optional(table, "trailer"))
        .withNullWords(texts(table.get("null_values")))
        .withPlausibility(constant(Plausibility.class, table, "plausibility"))
        .withEmptyFiles(constant(EmptyFiles.class, table, "empty_files"));
  }

  private static OptionalLong maxErrors(JsonNode limit) {
    return limit.isNull() ? OptionalLong.empty() : OptionalLong.of(limit.longValue());
  }

  private static OptionalDouble maxErrorRatio(JsonNode limit) {
    return limit.isNull() ? OptionalDouble.empty() : OptionalDouble.of(limit.doubleValue());
  }

  private static char delimiter(String written) {
    return written.equals("tab") || written.equals("\\t") ? '\t' : written.charAt(0);
  }

  private static Charset charset(String name) {
    return CharsetNames.find(name).orElseThrow();
  }

  private static Map<String, String> mapping(JsonNode mapping) {
    Map<String, String> columns = new LinkedHashMap<>();
    mapping.properties().forEach(e -> columns.put(e.getKey(), e.getValue().textValue()));
    return columns;
  }

  private static <E extends Enum<E>> E constant(Class<E> type, JsonNode section, String key) {
    return Enum.valueOf(type, text(section, key).toUpperCase(Locale.ROOT));
  }

  private static String text(JsonNode section, String key) {
    return section.get(key).textValue();
  }

  private static Optional<String> optional(JsonNode section, String key) {
    return Optional.ofNullable(section.path(key).textValue());
  }

  /** One text, a list of them, or null for none. */
  private static List<String> texts(JsonNode values) {
    List<String> texts = new ArrayList<>();
    if (values.isTextual()) {
      texts.add(values.textValue());
    }
    values.forEach(value -> texts.add(value.textValue()));
    return texts;
  }
}
