package dev.caravan.torture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The queries of {@code invariants.sql}, by their names. */
final class Invariants {

  private static final Pattern QUERY =
      Pattern.compile("(?ms)^-- ([a-z ,]+)( \\(always[^)]*\\))?\\n((?:SELECT).*?;)\\n");

  private final Map<String, String> always = new LinkedHashMap<>();
  private final Map<String, String> atTheEnd = new LinkedHashMap<>();

  Invariants() throws IOException {
    try (InputStream file = Invariants.class.getResourceAsStream("invariants.sql")) {
      Matcher query = QUERY.matcher(new String(file.readAllBytes(), StandardCharsets.UTF_8));
      while (query.find()) {
        atTheEnd.put(query.group(1), query.group(3));
        if (query.group(2) != null) {
          always.put(query.group(1), query.group(3));
        }
      }
    }
  }

  /** How many there are. */
  int count() {
    return atTheEnd.size();
  }

  /** What breaks those that hold at every moment. */
  List<String> violations(Rig rig) throws IOException {
    return violations(rig, always);
  }

  /** What breaks any of them, once all jobs have ended. */
  List<String> violationsAtTheEnd(Rig rig) throws IOException {
    return violations(rig, atTheEnd);
  }

  private static List<String> violations(Rig rig, Map<String, String> queries) throws IOException {
    rig.noteMoved();
    return rig.sql(
        connection -> {
          List<String> violations = new ArrayList<>();
          for (Map.Entry<String, String> query : queries.entrySet()) {
            rows(connection, query.getValue())
                .forEach(row -> violations.add(query.getKey() + ": " + row));
          }
          return violations;
        });
  }

  private static List<String> rows(Connection connection, String query) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      while (result.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          row.add(result.getString(i));
        }
        rows.add(String.valueOf(row));
      }
    }
    return rows;
  }
}
