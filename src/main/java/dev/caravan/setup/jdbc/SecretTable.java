package dev.caravan.setup.jdbc;

import dev.caravan.failure.CaravanException;
import dev.caravan.secret.Secrets;
import dev.caravan.secret.Secrets.Place;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The secrets of connections and projects; the role that reads for callers may not see it. */
final class SecretTable {

  private final Secrets secrets;

  SecretTable(Secrets secrets) {
    this.secrets = secrets;
  }

  void put(Connection connection, Place place, String secret) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            """
            INSERT INTO caravan.secret (tenant, owner, field, encrypted) VALUES (?, ?, ?, ?)
            ON CONFLICT (owner, field) DO UPDATE SET encrypted = excluded.encrypted""")) {
      insert.setString(1, place.tenant());
      insert.setObject(2, place.owner());
      insert.setString(3, place.field());
      insert.setBytes(4, secrets.encrypt(secret, place));
      insert.executeUpdate();
    }
  }

  /** All of one owner, by their fields. */
  Map<String, String> of(Connection connection, UUID owner) throws SQLException {
    Map<String, String> found = new HashMap<>();
    try (PreparedStatement query =
        connection.prepareStatement(
            "SELECT tenant, field, encrypted FROM caravan.secret WHERE owner = ?")) {
      query.setObject(1, owner);
      try (ResultSet row = query.executeQuery()) {
        while (row.next()) {
          Place place = new Place(row.getString(1), owner, row.getString(2));
          found.put(place.field(), secrets.decrypt(row.getBytes(3), place));
        }
      }
    }
    return found;
  }

  void remove(Connection connection, UUID owner) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement("DELETE FROM caravan.secret WHERE owner = ?")) {
      delete.setObject(1, owner);
      delete.executeUpdate();
    }
  }

  /** Opens one secret of each key, and says why it cannot be opened where it cannot. */
  List<String> unreadable(Connection connection) throws SQLException {
    List<String> problems = new ArrayList<>();
    try (PreparedStatement query =
            connection.prepareStatement(
                """
                SELECT DISTINCT ON (substring(encrypted FOR 5)) tenant, owner, field, encrypted
                FROM caravan.secret""");
        ResultSet row = query.executeQuery()) {
      while (row.next()) {
        Place place = new Place(row.getString(1), row.getObject(2, UUID.class), row.getString(3));
        try {
          secrets.decrypt(row.getBytes(4), place);
        } catch (CaravanException e) {
          problems.add(e.getMessage());
        }
      }
    }
    return problems;
  }
}
