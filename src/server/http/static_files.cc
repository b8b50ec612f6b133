#include "server/http/static_files.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace redoubt::http {
namespace {

const StaticFile* Find(std::span<const StaticFile> files, std::string_view path) {
  auto found = std::find_if(files.begin(), files.end(), [&](const StaticFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

const StaticFile* Choose(std::span<const StaticFile> files, std::string_view path) {
  if (const StaticFile* file = Find(files, path)) return file;
  std::string folder(path);
  if (folder.back() != '/') folder += '/';
  if (const StaticFile* index = Find(files, folder + "index.html")) return index;
  std::string_view name = path.substr(path.rfind('/') + 1);
  bool page_address = name.find('.') == std::string_view::npos && !path.starts_with("/api/");
  return page_address ? Find(files, "/index.html") : nullptr;
}

constexpr size_t kMaxFolderBytes = size_t{64} << 20;
constexpr size_t kWorthCompressing = 1024;

std::string_view ContentType(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".map", "application/json"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

// Empty when compressing gains nothing, as for fonts and pictures.
std::string Gzip(const std::string& text) {
  if (text.size() < kWorthCompressing) return {};
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  int code = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return code == Z_STREAM_END && packed.size() < text.size() * 9 / 10 ? packed : std::string();
}

std::string ContentTag(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
  std::string tag = "\"";
  for (int i = 0; i < 12; ++i) tag += fmt::format("{:02x}", digest[i]);
  return tag + "\"";
}

Response Missing(const Request& request, bool empty) {
  if (empty) {
    return ErrorResponse(request.lang(), 404, "not_found",
                         {"이 프로그램은 화면 없이 빌드되었습니다.", "This program was built without the page."},
                         {"./run으로 빌드하거나, web을 빌드한 뒤 다시 빌드하세요.",
                          "Build with ./run, or build web first and then this program again."});
  }
  return ErrorResponse(request.lang(), 404, "not_found", {"없는 경로입니다.", "There is no such path."},
                       {"/docs에서 API를 확인하세요.", "See /docs for the API."});
}

}  // namespace

Response ServeStatic(std::span<const StaticFile> files, const Request& request) {
  const StaticFile* file = Choose(files, request.path);
  if (!file) return Missing(request, files.empty());
  Response response;
  response.Set("Content-Type", std::string(file->content_type));
  response.Set("ETag", std::string(file->etag));
  response.Set("Vary", "Accept-Encoding");
  bool immutable = file->path.starts_with("/assets/");
  response.Set("Cache-Control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.Header("if-none-match") == file->etag) {
    response.status = 304;
    return response;
  }
  response.static_body = file->bytes;
  if (!file->gzip.empty() && request.Header("accept-encoding").find("gzip") != std::string_view::npos) {
    response.static_body = file->gzip;
    response.Set("Content-Encoding", "gzip");
  }
  return response;
}

base::Result<StaticFolder> StaticFolder::Load(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return base::NotFound(fmt::format("no folder {}", folder));
  StaticFolder loaded;
  size_t total = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    total += text.size();
    if (total > kMaxFolderBytes) return base::ResourceExhausted(fmt::format("{} is over 64 MB", folder));
    auto keep = [&](std::string value) -> const std::string& { return loaded.texts_.emplace_back(std::move(value)); };
    StaticFile served;
    served.path = keep("/" + entry.path().lexically_relative(folder).generic_string());
    served.content_type = ContentType(served.path);
    served.etag = keep(ContentTag(text));
    served.gzip = keep(Gzip(text));
    served.bytes = keep(std::move(text));
    loaded.files_.push_back(served);
  }
  if (error) return base::Unavailable(fmt::format("cannot read {}: {}", folder, error.message()));
  return loaded;
}

}  // namespace redoubt::http
