package dev.caravan.imports;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.SqlFailure;
import dev.caravan.pgload.TableDdl;
import dev.caravan.project.ProjectConfig;
import dev.caravan.record.RecordStream;
import dev.caravan.record.Unpacked;
import dev.caravan.record.csv.CsvReader;
import dev.caravan.source.sftp.FileStamp;
import dev.caravan.source.sftp.SftpSource;
import dev.caravan.source.sftp.SftpSource.Listing;
import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;

/** What an import of a project would do, without doing it. */
final class ImportPreview {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MAX_FILES = 1_000;
  private static final int MAX_OPENED = 5;
  private static final int MAX_ROWS = 20;

  /** A table is asked about once; a project of more tables is planned in part. */
  private static final int MAX_TABLES = 50;

  /** A page of long values must not grow without end. */
  private static final int MAX_VALUE_CHARS = 1_000;

  private final ProjectConfig project;
  private final SftpSource source;
  private final DataSource target;

  ImportPreview(ProjectConfig project, SftpSource source, DataSource target) {
    this.project = project;
    this.source = source;
    this.target = target;
  }

  private List<FileStamp> matching(Listing listing) {
    return listing.files().stream().filter(file -> project.covers(file.name())).toList();
  }

  /** The files that match with their tables, and the first rows of the first ones, as JSON. */
  String files() {
    Listing listing = source.look();
    List<FileStamp> all = matching(listing);
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode files = answer.putArray("files");
    for (FileStamp file : all.subList(0, Math.min(all.size(), MAX_FILES))) {
      addFile(files.addObject(), file, files.size() <= MAX_OPENED);
    }
    answer.put("more", all.size() - files.size());
    answer.put("note", ReadyFiles.text(ReadyFiles.notes(project, listing)).orElse(null));
    return answer.toString();
  }

  private void addFile(ObjectNode node, FileStamp file, boolean open) {
    node.put("filename", file.name());
    node.put("size", file.size());
    node.put("modified_at", file.modifiedAt().toString());
    node.putNull("table_name").putNull("columns").putNull("rows").putNull("error");
    try {
      CopyUpsertLoad load = LoadPlanner.load(project, file.name(), false);
      node.put("table_name", load.spec().target().toString());
      if (open) {
        addRows(node, file, load);
      }
    } catch (CaravanException e) {
      node.put("error", e.code() + ": " + e.getMessage());
    } catch (IOException e) {
      node.put("error", FailureCode.SOURCE_UNAVAILABLE + ": " + e.getMessage());
    }
  }

  private void addRows(ObjectNode node, FileStamp file, CopyUpsertLoad load) throws IOException {
    try (RecordStream records = open(file, load)) {
      records.columns().forEach(node.putArray("columns")::add);
      ArrayNode rows = node.putArray("rows");
      RecordStream.Step step = records.next();
      while (rows.size() < MAX_ROWS && step != RecordStream.Step.END) {
        if (step == RecordStream.Step.RECORD) {
          addRow(rows.addArray(), records);
        }
        step = records.next();
      }
    }
  }

  private static void addRow(ArrayNode row, RecordStream records) {
    for (int i = 0; i < records.columns().size(); i++) {
      String value = records.fields().isNull(i) ? null : records.fields().text(i);
      row.add(
          value == null || value.length() <= MAX_VALUE_CHARS
              ? value
              : value.substring(0, MAX_VALUE_CHARS) + "…");
    }
  }

  private RecordStream open(FileStamp file, CopyUpsertLoad load) throws IOException {
    InputStream content = source.file(file).call();
    try {
      return CsvReader.open(Unpacked.open(content, file.name()), load.format());
    } catch (IOException | RuntimeException e) {
      content.close();
      throw e;
    }
  }

  /** The statements that the next import would run on the definitions of tables, as JSON. */
  String ddl() {
    Set<String> statements = new LinkedHashSet<>();
    Set<String> tables = new LinkedHashSet<>();
    try (Connection connection = target.getConnection()) {
      for (FileStamp file : matching(source.look())) {
        if (tables.size() < MAX_TABLES) {
          statements.addAll(ddl(connection, file, tables));
        }
      }
    } catch (SQLException e) {
      throw SqlFailure.of("Cannot look at the tables of project " + project.project(), e);
    }
    ObjectNode answer = JSON.createObjectNode();
    statements.forEach(answer.putArray("ddl")::add);
    return answer.toString();
  }

  /** A file that cannot be loaded says so, and the others are shown all the same. */
  private List<String> ddl(Connection connection, FileStamp file, Set<String> tables)
      throws SQLException {
    try {
      CopyUpsertLoad load = LoadPlanner.load(project, file.name(), false);
      if (!tables.add(load.spec().target().toString())) {
        return List.of();
      }
      try (RecordStream records = open(file, load)) {
        return TableDdl.of(connection, load.spec(), records);
      }
    } catch (CaravanException e) {
      return List.of(comment(file, e.code()));
    } catch (IOException e) {
      return List.of(comment(file, FailureCode.SOURCE_UNAVAILABLE));
    }
  }

  private static String comment(FileStamp file, FailureCode code) {
    return "-- %s: %s".formatted(file.name().replaceAll("\\p{Cntrl}", "?"), code);
  }
}
