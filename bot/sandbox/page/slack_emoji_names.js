// Slack's names of emoji, each with its emoji.

export const NAMED = `
  +1 👍 -1 👎 white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️
  no_entry ⛔ no_entry_sign 🚫 exclamation ❗ question ❓ grey_exclamation ❕ grey_question ❔ bangbang ‼️ interrobang ⁉️
  information_source ℹ️ eyes 👀 eye 👁️ smile 😄 smiley 😃 grin 😁 grinning 😀 laughing 😆 sweat_smile 😅 joy 😂 rofl 🤣
  slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 blush 😊 innocent 😇 heart_eyes 😍 star-struck 🤩 kissing_heart 😘 yum 😋
  stuck_out_tongue 😛 stuck_out_tongue_winking_eye 😜 zany_face 🤪 hugging_face 🤗 thinking_face 🤔 zipper_mouth_face 🤐
  neutral_face 😐 expressionless 😑 no_mouth 😶 smirk 😏 unamused 😒 face_with_rolling_eyes 🙄 grimacing 😬 relieved 😌 pensive
  😔 sleepy 😪 sleeping 😴 mask 😷 face_with_thermometer 🤒 nauseated_face 🤢 exploding_head 🤯 partying_face 🥳 sunglasses 🕶️
  nerd_face 🤓 face_with_monocle 🧐 confused 😕 worried 😟 slightly_frowning_face 🙁 white_frowning_face ☹️ open_mouth 😮
  hushed 😯 astonished 😲 flushed 😳 pleading_face 🥺 frowning 😦 anguished 😧 fearful 😨 cold_sweat 😰 disappointed_relieved 😥
  cry 😢 sob 😭 scream 😱 confounded 😖 persevere 😣 disappointed 😞 sweat 😓 weary 😩 tired_face 😫 yawning_face 🥱 triumph 😤
  rage 😡 angry 😠 skull 💀 poop 💩 clown_face 🤡 ghost 👻 robot_face 🤖 melting_face 🫠 saluting_face 🫡 wave 👋
  raised_back_of_hand 🤚 raised_hand ✋ hand ✋ ok_hand 👌 v ✌️ crossed_fingers 🤞 point_left 👈 point_right 👉 point_up ☝️
  point_up_2 👆 point_down 👇 middle_finger 🖕 fist ✊ facepunch 👊 clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏
  writing_hand ✍️ muscle 💪 call_me_hand 🤙 facepalm 🤦 shrug 🤷 man-shrugging 🤷‍♂️ woman-shrugging 🤷‍♀️ man-facepalming
  🤦‍♂️ woman-facepalming 🤦‍♀️ raising_hand 🙋 bow 🙇 baby 👶 man 👨 woman 👩 person_frowning 🙍 bust_in_silhouette 👤
  busts_in_silhouette 👥 speaking_head_in_silhouette 🗣️ footprints 👣 heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚
  blue_heart 💙 purple_heart 💜 black_heart 🖤 white_heart 🤍 brown_heart 🤎 broken_heart 💔 two_hearts 💕 sparkling_heart 💖
  heartpulse 💗 heavy_heart_exclamation_mark_ornament ❣️ 100 💯 anger 💢 boom 💥 collision 💥 dizzy 💫 sweat_drops 💦 dash 💨
  speech_balloon 💬 left_speech_bubble 🗨️ thought_balloon 💭 zzz 💤 tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 sparkles ✨ star
  ⭐ star2 🌟 fire 🔥 zap ⚡ rainbow 🌈 sunny ☀️ cloud ☁️ umbrella ☔ snowflake ❄️ ocean 🌊 earth_africa 🌍 crescent_moon 🌙 rose
  🌹 bouquet 💐 sunflower 🌻 seedling 🌱 evergreen_tree 🌲 four_leaf_clover 🍀 herb 🌿 deciduous_tree 🌳 dog 🐶 cat 🐱 cow 🐮 pig 🐷
  rabbit 🐰 bear 🐻 panda_face 🐼 koala 🐨 lion_face 🦁 frog 🐸 monkey 🐒 chicken 🐔 penguin 🐧 bird 🐦 unicorn_face 🦄 bee 🐝 bug 🐛
  butterfly 🦋 turtle 🐢 snake 🐍 whale 🐋 fish 🐟 octopus 🐙 snail 🐌 apple 🍎 banana 🍌 strawberry 🍓 lemon 🍋 tomato 🍅 pizza 🍕
  hamburger 🍔 fries 🍟 cake 🍰 birthday 🎂 cookie 🍪 chocolate_bar 🍫 coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine_glass 🍷 champagne 🍾
  bread 🍞 egg 🥚 cheese_wedge 🧀 rocket 🚀 airplane ✈️ car 🚗 bus 🚌 truck 🚚 bike 🚲 train 🚋 ship 🚢 house 🏠 house_with_garden
  🏡 office 🏢 hospital 🏥 bank 🏦 hotel 🏨 school 🏫 factory 🏭 department_store 🏬 convenience_store 🏪 post_office 🏤 world_map
  🗺️ package 📦 mailbox 📫 mailbox_with_mail 📬 inbox_tray 📥 outbox_tray 📤 envelope ✉️ email 📧 incoming_envelope 📨 e-mail 📧
  love_letter 💌 postal_horn 📯 scroll 📜 page_facing_up 📄 page_with_curl 📃 bookmark_tabs 📑 bar_chart 📊
  chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 date 📅 calendar 📆 spiral_calendar_pad 🗓️ card_index 📇
  clipboard 📋 file_folder 📁 open_file_folder 📂 newspaper 📰 book 📖 books 📚 notebook 📓 ledger 📒 bookmark 🔖 link 🔗
  paperclip 📎 pushpin 📌 round_pushpin 📍 scissors ✂️ pencil ✏️ pencil2 ✏️ memo 📝 black_nib ✒️ mag 🔍 mag_right 🔎 lock 🔒
  unlock 🔓 closed_lock_with_key 🔐 key 🔑 hammer 🔨 wrench 🔧 hammer_and_wrench 🛠️ gear ⚙️ nut_and_bolt 🔩 shield 🛡️ phone ☎️
  telephone ☎️ telephone_receiver 📞 iphone 📱 computer 💻 keyboard ⌨️ desktop_computer 🖥️ printer 🖨️ camera 📷
  camera_with_flash 📸 video_camera 📹 movie_camera 🎥 film_frames 🎞️ tv 📺 radio 📻 microphone 🎤 studio_microphone 🎙️
  headphones 🎧 loud_sound 🔊 sound 🔉 mute 🔇 loudspeaker 📢 mega 📣 bell 🔔 no_bell 🔕 bulb 💡 flashlight 🔦 electric_plug 🔌
  battery 🔋 floppy_disk 💾 cd 💿 satellite_antenna 📡 stopwatch ⏱️ alarm_clock ⏰ timer_clock ⏲️ watch ⌚ hourglass ⌛
  hourglass_flowing_sand ⏳ clock1 🕐 clock3 🕒 clock9 🕘 moneybag 💰 money_with_wings 💸 dollar 💵 pound 💷 euro 💶 yen 💴
  credit_card 💳 receipt 🧾 gem 💎 shopping_bags 🛍️ label 🏷️ ticket 🎫 trophy 🏆 sports_medal 🏅 dart 🎯 game_die 🎲 crown 👑
  necktie 👔 tshirt 👕 dress 👗 shoe 👞 handbag 👜 school_satchel 🎒 eyeglasses 👓 lipstick 💄 ring 💍 bed 🛏️ couch_and_lamp 🛋️
  door 🚪 toilet 🚽 shower 🚿 bathtub 🛁 red_circle 🔴 large_blue_circle 🔵 white_circle ⚪ black_circle ⚫ small_red_triangle 🔺
  small_blue_diamond 🔹 small_orange_diamond 🔸 large_blue_diamond 🔷 large_orange_diamond 🔶 black_small_square ▪️
  white_small_square ▫️ arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️ arrow_upper_right ↗️
  leftwards_arrow_with_hook ↩️ arrow_right_hook ↪️ arrows_counterclockwise 🔄 arrows_clockwise 🔃 back 🔙 soon 🔜 end 🔚 top
  🔝 new 🆕 free 🆓 cool 🆒 ok 🆗 up 🆙 sos 🆘 heavy_plus_sign ➕ heavy_minus_sign ➖ heavy_dollar_sign 💲 recycle ♻️ repeat 🔁
  arrow_forward ▶️ double_vertical_bar ⏸️ fast_forward ⏩ rewind ⏪ infinity ♾️ one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five
  5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ keycap_ten 🔟 hash #️⃣ rotating_light 🚨 construction 🚧 checkered_flag
  🏁 triangular_flag_on_post 🚩 waving_white_flag 🏳️ gb 🇬🇧 us 🇺🇸 de 🇩🇪 fr 🇫🇷 it 🇮🇹 es 🇪🇸 jp 🇯🇵 cn 🇨🇳 octagonal_sign 🛑
  shopping_trolley 🛒 medal 🎖️ first_place_medal 🥇 large_orange_circle 🟠 large_yellow_circle 🟡 large_green_circle 🟢
  large_purple_circle 🟣 large_red_square 🟥 large_orange_square 🟧 large_yellow_square 🟨 large_green_square 🟩
  large_blue_square 🟦 rolling_on_the_floor_laughing 🤣 smiling_face_with_3_hearts 🥰 face_palm 🤦 money_mouth_face 🤑
  1st_place_medal 🥇 2nd_place_medal 🥈 3rd_place_medal 🥉 ab 🆎 atm 🏧 a 🅰️ aquarius ♒ aries ♈ b 🅱️ cl 🆑 cancer ♋ capricorn
  ♑ christmas_tree 🎄 england 🏴󠁧󠁢󠁥󠁮󠁧󠁿 gemini ♊ id 🆔 accept 🉑 u7533 🈸 ideograph_advantage 🉐 japanese_castle 🏯
  congratulations ㊗️ u5272 🈹 dolls 🎎 u7121 🈚 koko 🈁 u6708 🈷️ u6e80 🈵 u6709 🈶 u55b6 🈺 u5408 🈴 u7981 🈲 u6307 🈯 secret ㊙️
  sa 🈂️ beginner 🔰 u7a7a 🈳 leo ♌ libra ♎ mrs_claus 🤶 ng 🆖 on 🔛 o2 🅾️ ophiuchus ⛎ parking 🅿️ pisces ♓ sagittarius ♐ santa
  🎅 scorpius ♏ scotland 🏴󠁧󠁢󠁳󠁣󠁴󠁿 statue_of_liberty 🗽 t-rex 🦖 taurus ♉ tokyo_tower 🗼 vs 🆚 virgo ♍ wales 🏴󠁧󠁢󠁷󠁬󠁳󠁿 abacus 🧮
  accordion 🪗 adhesive_bandage 🩹 tickets 🎟️ aerial_tramway 🚡 airplane_arriving 🛬 flight_departure 🛫 alembic ⚗️ alien 👽
  space_invader 👾 ambulance 🚑 football 🏈 amphora 🏺 anatomical_heart 🫀 anchor ⚓ imp 👿 ant 🐜 signal_strength 📶
  articulated_lorry 🚛 art 🎨 atom_symbol ⚛️ auto_rickshaw 🛺 avocado 🥑 axe 🪓 angel 👼 baby_bottle 🍼 baby_chick 🐤
  baby_symbol 🚼 bacon 🥓 badger 🦡 badminton_racquet_and_shuttlecock 🏸 bagel 🥯 baggage_claim 🛄 baguette_bread 🥖 scales ⚖️
  ballet_shoes 🩰 ballot_box 🗳️ banjo 🪕 barber 💈 baseball ⚾ basket 🧺 basketball 🏀 bat 🦇 beach_umbrella 🏖️ beans 🫘
  heartbeat 💓 beaver 🦫 beetle 🪲 bell_pepper 🫑 bellhop_bell 🛎️ bento 🍱 beverage_box 🧃 bikini 👙 billed_cap 🧢
  biohazard_sign ☣️ bison 🦬 biting_lip 🫦 raven 🐦‍⬛ black_cat 🐈‍⬛ waving_black_flag 🏴 black_large_square ⬛
  black_medium_small_square ◾ black_medium_square ◼️ black_square_button 🔲 blossom 🌼 blowfish 🐡 blue_book 📘 blue_square
  🟦 blueberries 🫐 boar 🐗 bomb 💣 bone 🦴 boomerang 🪃 bow_and_arrow 🏹 bowl_with_spoon 🥣 bowling 🎳 boxing_glove 🥊 boy 👦
  brain 🧠 breast_feeding 🤱 bricks 🧱 bridge_at_night 🌉 briefcase 💼 swim_brief 🩲 high_brightness 🔆 broccoli 🥦 broken_chain
  ⛓️‍💥 broom 🧹 brown_circle 🟤 brown_mushroom 🍄‍🟫 brown_square 🟫 bubble_tea 🧋 bubbles 🫧 bucket 🪣 building_construction 🏗️
  bullettrain_front 🚅 burrito 🌯 busstop 🚏 butter 🧈 cactus 🌵 dromedary_camel 🐪 camera_flash 📸 camping 🏕️ candle 🕯️ candy
  🍬 canned_food 🥫 canoe 🛶 card_file_box 🗃️ card_index_dividers 🗂️ carousel_horse 🎠 flags 🎏 carpentry_saw 🪚 carrot 🥕
  european_castle 🏰 cat2 🐈 joy_cat 😹 smirk_cat 😼 chains ⛓️ chair 🪑 chart 💹 cheese 🧀 cherries 🍒 cherry_blossom 🌸
  chess_pawn ♟️ chestnut 🌰 child 🧒 children_crossing 🚸 chipmunk 🐿️ chopsticks 🥢 church ⛪ smoking 🚬 cinema 🎦 m Ⓜ️
  circus_tent 🎪 cityscape 🏙️ city_sunset 🌆 compression 🗜️ clapper 🎬 classical_building 🏛️ clinking_glasses 🥂 closed_book
  📕 mailbox_closed 📪 closed_umbrella 🌂 cloud_with_lightning 🌩️ thunder_cloud_and_rain ⛈️ cloud_with_rain 🌧️
  cloud_with_snow 🌨️ clubs ♣️ pouch 👝 coat 🧥 cockroach 🪳 cocktail 🍸 coconut 🥥 coffin ⚰️ coin 🪙 cold_face 🥶 comet ☄️
  compass 🧭 minidisc 💽 three_button_mouse 🖱️ construction_worker 👷 control_knobs 🎛️ rice 🍚 copyright ©️ coral 🪸
  couple_with_heart 💑 cow2 🐄 cowboy_hat_face 🤠 crab 🦀 cracking_face 🫫 lower_left_crayon 🖍️ cricket 🦗
  cricket_bat_and_ball 🏏 crocodile 🐊 croissant 🥐 crossed_flags 🎌 crossed_swords ⚔️ crutch 🩼 crying_cat_face 😿
  crystal_ball 🔮 cucumber 🥒 cup_with_straw 🥤 cupcake 🧁 curling_stone 🥌 curly_loop ➰ currency_exchange 💱 curry 🍛 custard
  🍮 customs 🛃 cut_of_meat 🥩 cyclone 🌀 dagger_knife 🗡️ dango 🍡 deaf_man 🧏‍♂️ deaf_person 🧏 deaf_woman 🧏‍♀️ deer 🦌
  derelict_house_building 🏚️ desert 🏜️ desert_island 🏝️ sleuth_or_spy 🕵️ diamonds ♦️ diamond_shape_with_a_dot_inside 💠
  low_brightness 🔅 disguised_face 🥸 distorted_face 🫪 heavy_division_sign ➗ diving_mask 🤿 diya_lamp 🪔 dna 🧬 dodo 🦤 dog2 🐕
  flipper 🐬 donkey 🫏 dotted_line_face 🫥 six_pointed_star 🔯 loop ➿ doughnut 🍩 dove_of_peace 🕊️ arrow_lower_left ↙️
  arrow_lower_right ↘️ arrow_down_small 🔽 dragon 🐉 dragon_face 🐲 drooling_face 🤤 drop_of_blood 🩸 droplet 💧 drum 🥁 duck 🦆
  dumpling 🥟 dvd 📀 eagle 🦅 ear 👂 corn 🌽 ear_with_hearing_aid 🦻 egg2 🥚 eggplant 🍆 eight_pointed_black_star ✴️
  eight_spoked_asterisk ✳️ clock830 🕣 clock8 🕗 eject_symbol ⏏️ elephant 🐘 elevator 🛗 clock1130 🕦 clock11 🕚 elf 🧝
  empty_nest 🪹 envelope_with_arrow 📩 eraser 🪌 sheep 🐑 eye_speech_bubble 👁️‍🗨️ face_exhaling 😮‍💨 face_holding_back_tears
  🥹 face_in_clouds 😶‍🌫️ vomiting_face 🤮 face_with_bags_under_eyes 🫩 dizzy_face 😵 face_with_diagonal_mouth 🫤
  hand_over_mouth 🤭 face_with_head_bandage 🤕 monocle_face 🧐 face_with_open_eyes_and_hand_over_mouth 🫢
  face_with_peeking_eye 🫣 raised_eyebrow 🤨 roll_eyes 🙄 face_with_spiral_eyes 😵‍💫 cursing_face 🤬 fairy 🧚 falafel 🧆
  fallen_leaf 🍂 family 👪 arrow_double_down ⏬ arrow_double_up ⏫ fax 📠 feather 🪶 female_sign ♀️ ferris_wheel 🎡 ferry ⛴️
  field_hockey_stick_and_ball 🏑 fight_cloud 🫯 file_cabinet 🗄️ film_strip 🎞️ film_projector 📽️ fingerprint 🫆 fire_engine
  🚒 fire_extinguisher 🧯 firecracker 🧨 fireworks 🎆 first_quarter_moon 🌓 first_quarter_moon_with_face 🌛 fish_cake 🍥
  fishing_pole_and_fish 🎣 clock530 🕠 clock5 🕔 golf ⛳ flamingo 🦩 flat_shoe 🥿 flatbread 🫓 fleur_de_lis ⚜️
  flower_playing_cards 🎴 flute 🪈 fly 🪰 flying_disc 🥏 flying_saucer 🛸 fog 🌫️ foggy 🌁 folding_hand_fan 🪭 fondue 🫕 foot 🦶
  fork_and_knife 🍴 plate_with_cutlery 🍽️ fortune_cookie 🥠 fountain ⛲ lower_left_fountain_pen 🖋️ clock430 🕟 clock4 🕓
  fox_face 🦊 frame_with_picture 🖼️ fried_shrimp 🍤 hatched_chick 🐥 fuelpump ⛽ full_moon 🌕 full_moon_with_face 🌝
  funeral_urn ⚱️ garlic 🧄 genie 🧞 ginger_root 🫚 giraffe 🦒 girl 👧 milk_glass 🥛 earth_americas 🌎 earth_asia 🌏
  globe_with_meridians 🌐 gloves 🧤 goal_net 🥅 goat 🐐 japanese_goblin 👺 goggles 🥽 goose 🪿 harambe 🦍 mortar_board 🎓 grapes
  🍇 green_apple 🍏 green_book 📗 green_circle 🟢 green_salad 🥗 green_square 🟩 grey_heart 🩶 smiley_cat 😺 smile_cat 😸
  satisfied 😆 guard 💂 guide_dog 🦮 guitar 🎸 hair_pick 🪮 hairy_creature 🫈 hammer_and_pick ⚒️ hamsa 🪬 hamster 🐹
  raised_hand_with_fingers_splayed 🖐️ hand_with_index_finger_and_thumb_crossed 🫰 harp 🪉 hatching_chick 🐣
  head_shaking_horizontally 🙂‍↔️ head_shaking_vertically 🙂‍↕️ headstone 🪦 hear_no_evil 🙉 heart_decoration 💟
  heavy_heart_exclamation ❣️ heart_hands 🫶 heart_on_fire ❤️‍🔥 hearts ♥️ cupid 💘 gift_heart 💝 heavy_equals_sign 🟰
  hedgehog 🦔 helicopter 🚁 hibiscus 🌺 high_heel 👠 bullettrain_side 🚄 hiking_boot 🥾 hindu_temple 🛕 hippopotamus 🦛 hole 🕳️
  o ⭕ honey_pot 🍯 hook 🪝 traffic_light 🚥 racehorse 🐎 horse 🐴 horse_racing 🏇 hotdog 🌭 hot_face 🥵 hot_pepper 🌶️ hotsprings
  ♨️ house_buildings 🏘️ hut 🛖 hyacinth 🪻 ice_cube 🧊 ice_cream 🍨 ice_hockey_stick_and_puck 🏒 ice_skate ⛸️
  identification_card 🪪 index_pointing_at_the_viewer 🫵 abc 🔤 abcd 🔡 capital_abcd 🔠 1234 🔢 symbols 🔣 jack_o_lantern 🎃 jar
  🫙 jeans 👖 jellyfish 🪼 black_joker 🃏 joystick 🕹️ kaaba 🕋 kangaroo 🦘 asterisk *️⃣ ten 🔟 khanda 🪯 kick_scooter 🛴 kimono 👘
  couplekiss 💏 kiss 💋 kissing_cat 😽 kissing 😗 kissing_closed_eyes 😚 kissing_smiling_eyes 😙 hocho 🔪 kite 🪁 kiwi_fruit 🥝
  knot 🪢 lab_coat 🥼 lacrosse 🥍 ladder 🪜 landslide 🛘 last_quarter_moon 🌗 last_quarter_moon_with_face 🌜
  previous_track_button ⏮️ latin_cross ✝️ leaves 🍃 leafless_tree 🪾 leafy_green 🥬 fist_left 🤛 left_right_arrow ↔️
  left_luggage 🛅 leftwards_hand 🫲 leftwards_pushing_hand 🫷 leftwards_thumb_sign 🫹 leg 🦵 leopard 🐆 level_slider 🎚️
  light_blue_heart 🩵 light_rail 🚈 lighthouse 🛙 lime 🍋‍🟩 paperclips 🖇️ put_litter_in_its_place 🚮 lizard 🦎 llama 🦙 lobster
  🦞 lock_with_ink_pen 🔏 steam_locomotive 🚂 lollipop 🍭 long_drum 🪘 lotion_bottle 🧴 lotus 🪷 love_you_gesture 🤟 love_hotel
  🏩 low_battery 🪫 luggage 🧳 lungs 🫁 lying_face 🤥 mage 🧙 magic_wand 🪄 magnet 🧲 mahjong 🀄 male_sign ♂️ mammoth 🦣 man_beard
  🧔‍♂️ biking_man 🚴‍♂️ blond_haired_man 👱‍♂️ basketball_man ⛹️‍♂️ bowing_man 🙇‍♂️ man_cartwheeling 🤸‍♂️ climbing_man
  🧗‍♂️ construction_worker_man 👷‍♂️ man_dancing 🕺 male_detective 🕵️‍♂️ elf_man 🧝‍♂️ man_facepalming 🤦‍♂️ fairy_man 🧚‍♂️
  frowning_man 🙍‍♂️ genie_man 🧞‍♂️ no_good_man 🙅‍♂️ ok_man 🙆‍♂️ haircut_man 💇‍♂️ massage_man 💆‍♂️ golfing_man 🏌️‍♂️
  guardsman 💂‍♂️ lotus_position_man 🧘‍♂️ sauna_man 🧖‍♂️ man_in_tuxedo 🤵‍♂️ man_juggling 🤹‍♂️ kneeling_man 🧎‍♂️
  man_kneeling_facing_right 🧎‍♂️‍➡️ weight_lifting_man 🏋️‍♂️ mage_man 🧙‍♂️ mountain_biking_man 🚵‍♂️ man_playing_handball
  🤾‍♂️ man_playing_water_polo 🤽‍♂️ policeman 👮‍♂️ pouting_man 🙎‍♂️ raising_hand_man 🙋‍♂️ rowing_man 🚣‍♂️ running_man
  🏃‍♂️ man_running_facing_right 🏃‍♂️‍➡️ man_shrugging 🤷‍♂️ standing_man 🧍‍♂️ superhero_man 🦸‍♂️ supervillain_man 🦹‍♂️
  surfing_man 🏄‍♂️ swimming_man 🏊‍♂️ sassy_man 💁‍♂️ vampire_man 🧛‍♂️ walking_man 🚶‍♂️ man_walking_facing_right 🚶‍♂️‍➡️
  man_with_turban 👳‍♂️ man_with_veil 👰‍♂️ zombie_man 🧟‍♂️ mango 🥭 mantelpiece_clock 🕰️ manual_wheelchair 🦽 mans_shoe 👞
  japan 🗾 maple_leaf 🍁 maracas 🪇 martial_arts_uniform 🥋 mate 🧉 meat_on_bone 🍖 mechanical_arm 🦾 mechanical_leg 🦿
  medical_symbol ⚕️ melon 🍈 two_men_holding_hands 👬 dancing_men 👯‍♂️ men_wrestling 🤼‍♂️ mending_heart ❤️‍🩹
  menorah_with_nine_branches 🕎 mens 🚹 mermaid 🧜‍♀️ merman 🧜‍♂️ merperson 🧜 meteor 🪋 metro 🚇 microbe 🦠 microscope 🔬 fu 🖕
  military_helmet 🪖 medal_military 🎖️ milky_way 🌌 minibus 🚐 mirror 🪞 mirror_ball 🪩 moyai 🗿 mobile_phone_off 📴 calling 📲
  monarch_butterfly 🫌 monkey_face 🐵 monorail 🚝 moon_cake 🥮 rice_scene 🎑 moose 🫎 mosque 🕌 mosquito 🦟 motor_boat 🛥️
  motor_scooter 🛵 racing_motorcycle 🏍️ motorized_wheelchair 🦼 motorway 🛣️ mount_fuji 🗻 mountain ⛰️ mountain_cableway 🚠
  mountain_railway 🚞 mouse2 🐁 mouse 🐭 mouse_trap 🪤 lips 👄 heavy_multiplication_x ✖️ mushroom 🍄 musical_keyboard 🎹
  musical_note 🎵 notes 🎶 musical_score 🎼 nail_care 💅 name_badge 📛 national_park 🏞️ nazar_amulet 🧿 nest_with_eggs 🪺
  nesting_dolls 🪆 net_with_handle 🪍 new_moon 🌑 new_moon_with_face 🌚
  black_right_pointing_double_triangle_with_vertical_bar ⏭️ night_with_stars 🌃 clock930 🕤 ninja 🥷 no_bicycles 🚳
  do_not_litter 🚯 no_mobile_phones 📵 underage 🔞 no_pedestrians 🚷 no_smoking 🚭 non_potable_water 🚱 nose 👃
  notebook_with_decorative_cover 📔 oden 🍢 japanese_ogre 👹 oil_drum 🛢️ old_key 🗝️ older_man 👴 older_woman 👵 older_adult 🧓
  olive 🫒 om_symbol 🕉️ oncoming_automobile 🚘 oncoming_bus 🚍 fist_oncoming 👊 oncoming_police_car 🚔 oncoming_taxi 🚖
  one_piece_swimsuit 🩱 clock130 🕜 onion 🧅 mailbox_with_no_mail 📭 orange_book 📙 orange_circle 🟠 orange_square 🟧 orangutan
  🦧 orca 🫍 orthodox_cross ☦️ otter 🦦 owl 🦉 ox 🐂 oyster 🦪 pager 📟 lower_left_paintbrush 🖌️ palm_down_hand 🫳 palm_tree 🌴
  palm_up_hand 🫴 palms_up_together 🤲 pancakes 🥞 parachute 🪂 parrot 🦜 part_alternation_mark 〽️ passenger_ship 🛳️
  passport_control 🛂 feet 🐾 pea_pod 🫛 peace_symbol ☮️ peach 🍑 peacock 🦚 peanuts 🥜 pear 🍐 lower_left_ballpoint_pen 🖊️
  people_hugging 🫂 dancers 👯 wrestling 🤼 performing_arts 🎭 adult 🧑 bearded_person 🧔 bicyclist 🚴 blond_haired_person 👱
  bouncing_ball_person ⛹️ cartwheeling 🤸 climbing 🧗 person_fencing 🤺 frowning_person 🙍 no_good 🙅 ok_person 🙆 haircut 💇
  massage 💆 golfing 🏌️ sleeping_bed 🛌 lotus_position 🧘 sauna_person 🧖 business_suit_levitating 🕴️ person_in_tuxedo 🤵
  juggling_person 🤹 kneeling_person 🧎 person_kneeling_facing_right 🧎‍➡️ weight_lifting 🏋️ mountain_bicyclist 🚵
  handball_person 🤾 water_polo 🤽 pouting_face 🙎 rowboat 🚣 runner 🏃 person_running_facing_right 🏃‍➡️ standing_person 🧍
  surfer 🏄 swimmer 🏊 bath 🛀 tipping_hand_person 💁 walking 🚶 person_walking_facing_right 🚶‍➡️ person_with_turban 👳
  person_with_crown 🫅 man_with_gua_pi_mao 👲 person_with_veil 👰 petri_dish 🧫 phoenix 🐦‍🔥 pick ⛏️ pickle 🫝 pickup_truck 🛻
  pie 🥧 pig2 🐖 pig_nose 🐽 pill 💊 pinched_fingers 🤌 pinching_hand 🤏 bamboo 🎍 pineapple 🍍 table_tennis_paddle_and_ball 🏓
  pink_heart 🩷 pirate_flag 🏴‍☠️ pinata 🪅 placard 🪧 place_of_worship 🛐
  black_right_pointing_triangle_with_double_vertical_bar ⏯️ playground_slide 🛝 plunger 🪠 polar_bear 🐻‍❄️ police_car 🚓
  cop 👮 poodle 🐩 8ball 🎱 popcorn 🍿 european_post_office 🏤 postbox 📮 stew 🍲 potable_water 🚰 potato 🥔 potted_plant 🪴
  poultry_leg 🍗 pouring_liquid 🫗 pouting_cat 😾 prayer_beads 📿 pregnant_man 🫃 pregnant_person 🫄 pregnant_woman 🤰 pretzel
  🥨 prince 🤴 princess 👸 purple_circle 🟣 purple_square 🟪 purse 👛 jigsaw 🧩 rabbit2 🐇 raccoon 🦝 racing_car 🏎️ radio_button
  🔘 radioactive_sign ☢️ railway_car 🚃 railway_track 🛤️ rainbow_flag 🏳️‍🌈 ram 🐏 rat 🐀 razor 🪒 black_circle_for_record ⏺️
  red_envelope 🧧 heavy_exclamation_mark ❗ izakaya_lantern 🏮 red_square 🟥 small_red_triangle_down 🔻 registered ®️
  reminder_ribbon 🎗️ repeat_one 🔂 helmet_with_white_cross ⛑️ restroom 🚻 arrow_backward ◀️ revolving_hearts 💞 rhinoceros
  🦏 ribbon 🎀 rice_ball 🍙 rice_cracker 🍘 fist_right 🤜 right_anger_bubble 🗯️ arrow_heading_down ⤵️ arrow_heading_up ⤴️
  rightwards_hand 🫱 rightwards_pushing_hand 🫸 rightwards_thumb_sign 🫺 ring_buoy 🛟 ringed_planet 🪐 sweet_potato 🍠 rock 🪨
  roll_of_paper 🧻 rolled_up_newspaper 🗞️ roller_coaster 🎢 roller_skate 🛼 rooster 🐓 root_vegetable 🫜 rosette 🏵️
  rugby_football 🏉 running_shirt_with_sash 🎽 athletic_shoe 👟 safety_pin 🧷 safety_vest 🦺 boat ⛵ sake 🍶 salt 🧂 sandwich 🥪
  sari 🥻 artificial_satellite 🛰️ satellite 📡 sauropod 🦕 saxophone 🎷 scarf 🧣 scorpion 🦂 screwdriver 🪛 seal 🦭 seat 💺
  see_no_evil 🙈 selfie 🤳 service_dog 🐕‍🦺 clock730 🕢 clock7 🕖 sewing_needle 🪡 shaking_face 🫨 shallow_pan_of_food 🥘
  shamrock ☘️ shark 🦈 shaved_ice 🍧 ear_of_rice 🌾 shinto_shrine ⛩️ stars 🌠 shopping 🛍️ shopping_cart 🛒 shorts 🩳 shovel 🪏
  shrimp 🦐 twisted_rightwards_arrows 🔀 shushing_face 🤫 metal 🤘 clock630 🕡 clock6 🕕 skateboard 🛹 skier ⛷️ ski 🎿
  skull_and_crossbones ☠️ skunk 🦨 sled 🛷 slot_machine 🎰 sloth 🦥 small_airplane 🛩️ heart_eyes_cat 😻 relaxed ☺️
  smiling_face_with_three_hearts 🥰 smiling_imp 😈 smiling_face_with_tear 🥲 sneezing_face 🤧 mountain_snow 🏔️ snowboarder 🏂
  snowman_with_snow ☃️ snowman ⛄ soap 🧼 soccer ⚽ socks 🧦 icecream 🍦 softball 🥎 spades ♠️ spaghetti 🍝 sparkle ❇️ sparkler
  🎇 speak_no_evil 🙊 speaker 🔈 speedboat 🚤 spider 🕷️ spider_web 🕸️ spiral_note_pad 🗒️ shell 🐚 splatter 🫟 sponge 🧽 spoon 🥄
  blue_car 🚙 medal_sports 🏅 squid 🦑 stuck_out_tongue_closed_eyes 😝 stadium 🏟️ star_struck 🤩 star_and_crescent ☪️
  star_of_david ✡️ station 🚉 ramen 🍜 stethoscope 🩺 black_square_for_stop ⏹️ stop_sign 🛑 straight_ruler 📏
  stuffed_flatbread 🥙 partly_sunny ⛅ white_sun_behind_cloud 🌥️ white_sun_behind_cloud_with_rain 🌦️
  white_sun_with_small_cloud 🌤️ sun_with_face 🌞 dark_sunglasses 🕶️ sunrise 🌅 sunrise_over_mountains 🌄 city_sunrise 🌇
  superhero 🦸 supervillain 🦹 sushi 🍣 suspension_railway 🚟 swan 🦢 synagogue 🕍 syringe 💉 taco 🌮 takeout_box 🥡 tamale 🫔
  tanabata_tree 🎋 orange 🍊 taxi 🚕 teapot 🫖 teddy_bear 🧸 telescope 🔭 clock1030 🕥 clock10 🕙 tennis 🎾 tent ⛺ test_tube 🧪
  thermometer 🌡️ thinking 🤔 thong_sandal 🩴 thread 🧵 clock330 🕞 thumbsdown 👎 thumbsup 👍 tiger2 🐅 tiger 🐯 tongue 👅 toolbox
  🧰 tooth 🦷 toothbrush 🪥 tophat 🎩 cloud_with_tornado 🌪️ trackball 🖲️ tractor 🚜 tm ™️ train2 🚆 tram 🚊 transgender_flag
  🏳️‍⚧️ transgender_symbol ⚧️ treasure_chest 🪎 triangular_ruler 📐 trident 🔱 troll 🧌 trolleybus 🚎 trombone 🪊
  tropical_drink 🍹 tropical_fish 🐠 trumpet 🎺 tulip 🌷 tumbler_glass 🥃 turkey 🦃 clock1230 🕧 clock12 🕛 camel 🐫 clock230 🕝
  clock2 🕑 open_umbrella ☂️ parasol_on_ground ⛱️ arrow_up_down ↕️ arrow_upper_left ↖️ arrow_up_small 🔼 vampire 🧛
  vertical_traffic_light 🚦 vibration_mode 📳 video_game 🎮 vhs 📼 violin 🎻 volcano 🌋 volleyball 🏐
  raised_hand_with_part_between_middle_and_ring_fingers 🖖 waffle 🧇 waning_crescent_moon 🌘 waning_gibbous_moon 🌖
  wastebasket 🗑️ water_buffalo 🐃 wc 🚾 gun 🔫 watermelon 🍉 wavy_dash 〰️ waxing_crescent_moon 🌒 moon 🌔 scream_cat 🙀 wedding
  💒 whale2 🐋 wheel 🛞 wheel_of_dharma ☸️ wheelchair ♿ probing_cane 🦯 white_flower 💮 white_large_square ⬜
  white_medium_small_square ◽ white_medium_square ◻️ white_square_button 🔳 wilted_flower 🥀 wind_chime 🎐
  wind_blowing_face 🌬️ window 🪟 wing 🪽 wireless 🛜 wolf 🐺 couple 👫 woman_beard 🧔‍♀️ biking_woman 🚴‍♀️ blonde_woman 👱‍♀️
  basketball_woman ⛹️‍♀️ bowing_woman 🙇‍♀️ woman_cartwheeling 🤸‍♀️ climbing_woman 🧗‍♀️ construction_worker_woman 👷‍♀️
  dancer 💃 female_detective 🕵️‍♀️ elf_woman 🧝‍♀️ woman_facepalming 🤦‍♀️ fairy_woman 🧚‍♀️ frowning_woman 🙍‍♀️ genie_woman
  🧞‍♀️ ng_woman 🙅‍♀️ ok_woman 🙆‍♀️ haircut_woman 💇‍♀️ massage_woman 💆‍♀️ golfing_woman 🏌️‍♀️ guardswoman 💂‍♀️
  lotus_position_woman 🧘‍♀️ sauna_woman 🧖‍♀️ woman_in_tuxedo 🤵‍♀️ woman_juggling 🤹‍♀️ kneeling_woman 🧎‍♀️
  woman_kneeling_facing_right 🧎‍♀️‍➡️ weight_lifting_woman 🏋️‍♀️ mage_woman 🧙‍♀️ mountain_biking_woman 🚵‍♀️
  woman_playing_handball 🤾‍♀️ woman_playing_water_polo 🤽‍♀️ policewoman 👮‍♀️ pouting_woman 🙎‍♀️ raising_hand_woman 🙋‍♀️
  rowing_woman 🚣‍♀️ running_woman 🏃‍♀️ woman_running_facing_right 🏃‍♀️‍➡️ woman_shrugging 🤷‍♀️ standing_woman 🧍‍♀️
  superhero_woman 🦸‍♀️ supervillain_woman 🦹‍♀️ surfing_woman 🏄‍♀️ swimming_woman 🏊‍♀️ sassy_woman 💁‍♀️ vampire_woman
  🧛‍♀️ walking_woman 🚶‍♀️ woman_walking_facing_right 🚶‍♀️‍➡️ woman_with_turban 👳‍♀️ woman_with_headscarf 🧕
  bride_with_veil 👰‍♀️ zombie_woman 🧟‍♀️ boot 👢 womans_clothes 👚 womans_hat 👒 sandal 👡 two_women_holding_hands 👭
  dancing_women 👯‍♀️ women_wrestling 🤼‍♀️ womens 🚺 wood 🪵 woozy_face 🥴 worm 🪱 x_ray 🩻 yarn 🧶 yellow_circle 🟡
  yellow_square 🟨 yin_yang ☯️ yo_yo 🪀 zebra 🦓 zombie 🧟
`;
