package dev.caravan.pgload;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.Set;
import org.postgresql.PGConnection;

/**
 * Which characters the encoding of the database has. PostgreSQL is asked once for each, because it
 * would end a COPY at the first that it cannot store.
 */
final class ServerEncoding {

  /** They take every character; the second takes bytes, which are those of UTF-8. */
  private static final Set<String> COMPLETE = Set.of("UTF8", "SQL_ASCII");

  private static final String UNTRANSLATABLE = "22P05";

  private final Connection connection;
  private final String name;
  private final BitSet asked = new BitSet();
  private final BitSet missing = new BitSet();

  ServerEncoding(Connection connection) throws SQLException {
    this.connection = connection;
    this.name = connection.unwrap(PGConnection.class).getParameterStatus("server_encoding");
  }

  /** As PostgreSQL calls it; null where something between does not tell. */
  String name() {
    return name;
  }

  /** Whether there are characters that it does not have. */
  boolean isPartial() {
    return name != null && !COMPLETE.contains(name);
  }

  /** Whether PostgreSQL has to be asked about a character of the text. */
  boolean isNew(String text) {
    return text.codePoints().anyMatch(c -> c > 0x7F && !asked.get(c));
  }

  /** The first character of the text that it does not have; -1 when it has them all. */
  int firstMissing(String text) throws SQLException {
    for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
      if (!has(text.codePointAt(i))) {
        return text.codePointAt(i);
      }
    }
    return -1;
  }

  /** The text with U+20AC, and the like, for characters that it does not have; null for null. */
  String storable(String text) throws SQLException {
    if (text == null || !isPartial() || firstMissing(text) < 0) {
      return text;
    }
    StringBuilder storable = new StringBuilder();
    for (int character : text.codePoints().toArray()) {
      storable.append(has(character) ? Character.toString(character) : shown(character));
    }
    return storable.toString();
  }

  static String shown(int character) {
    return "U+%04X".formatted(character);
  }

  private boolean has(int character) throws SQLException {
    if (character > 0x7F && !asked.get(character)) {
      missing.set(character, !ask(character));
      asked.set(character);
    }
    return !missing.get(character);
  }

  private boolean ask(int character) throws SQLException {
    byte[] bytes = Character.toString(character).getBytes(StandardCharsets.UTF_8);
    Savepoint before = connection.setSavepoint();
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "SELECT convert('\\x%s'::bytea, 'UTF8', getdatabaseencoding())"
              .formatted(HexFormat.of().formatHex(bytes)));
      connection.releaseSavepoint(before);
      return true;
    } catch (SQLException e) {
      if (!UNTRANSLATABLE.equals(e.getSQLState())) {
        throw e;
      }
      connection.rollback(before);
      connection.releaseSavepoint(before);
      return false;
    }
  }
}
