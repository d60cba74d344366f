let width text =
  let continues byte = Char.code byte land 0xc0 = 0x80 in
  String.fold_left (fun n byte -> if continues byte then n else n + 1) 0 text

let blanks columns text = String.make (max 0 (columns - width text)) ' '
let left columns text = text ^ blanks columns text
let right columns text = blanks columns text ^ text

let number n =
  let rec grouped n =
    if n < 1000 then string_of_int n
    else Printf.sprintf "%s,%03d" (grouped (n / 1000)) (n mod 1000)
  in
  if n < 0 then "-" ^ grouped (-n) else grouped n

let figure x =
  if x >= 99.95 then number (Float.to_int (Float.round x))
  else if x >= 9.995 then Printf.sprintf "%.1f" x
  else Printf.sprintf "%.2f" x

let count n thing =
  Printf.sprintf "%d %s%s" n thing (if n = 1 then "" else "s")

let rec listing = function
  | [] -> ""
  | [ only ] -> only
  | [ one; other ] -> one ^ " and " ^ other
  | first :: others -> first ^ ", " ^ listing others

let paragraph text =
  let place column word =
    let after = column + 1 + width word in
    if column > 0 && after <= 90 then (print_string (" " ^ word); after)
    else begin
      if column > 0 then print_newline ();
      print_string word;
      width word
    end
  in
  ignore (List.fold_left place 0 (String.split_on_char ' ' text));
  print_newline ()
