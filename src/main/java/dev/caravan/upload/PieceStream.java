package dev.caravan.upload;

import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;

/** Pieces one after the other; one of them is in memory. */
final class PieceStream extends InputStream {

  private final Pieces pieces;
  private byte[] piece = new byte[0];
  private int position;
  private int next;

  @FunctionalInterface
  interface Pieces {
    /** Null after the last one. */
    byte[] get(int number) throws SQLException;
  }

  PieceStream(Pieces pieces) {
    this.pieces = pieces;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!hasMore()) {
      return -1;
    }
    int n = Math.min(length, piece.length - position);
    System.arraycopy(piece, position, target, offset, n);
    position += n;
    return n;
  }

  @Override
  public int read() throws IOException {
    return hasMore() ? piece[position++] & 0xFF : -1;
  }

  private boolean hasMore() throws IOException {
    while (piece != null && position == piece.length) {
      try {
        piece = pieces.get(next++);
        position = 0;
      } catch (SQLException e) {
        throw new IOException("The upload cannot be read: " + e.getMessage(), e);
      }
    }
    return piece != null;
  }
}
